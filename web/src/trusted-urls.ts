// The Trusted Types policy `kez-url`: which scripts may be started as workers. Svelte makes `svelte-trusted-html` itself;
// the content security policy allows these two and no other.

/** The part of the browser's API that TypeScript does not describe yet. */
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): {
    createScriptURL(url: string): string;
  };
}

const ours = { createScriptURL: allowed };

const policy =
  (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy('kez-url', ours) ?? ours;

/** A worker of ours, from the address that `import url from '….ts?worker&url'` gives. */
export function startWorker(url: string): Worker {
  return new Worker(policy.createScriptURL(url), { type: 'module' });
}

/** The address of the service worker, as `serviceWorker.register` takes it. */
export function serviceWorkerUrl(): string {
  return policy.createScriptURL('/service-worker.js');
}

/** The same address, if it is one of our own scripts. */
function allowed(url: string): string {
  const { origin, pathname, search } = new URL(url, location.href);
  const isOurs = origin === location.origin && (search === '' || import.meta.env.DEV);
  const isScript = pathname === '/service-worker.js' || /^\/(assets|src)\/[\w./-]+\.(js|ts)$/.test(pathname);
  if (isOurs && isScript) return url;
  throw new TypeError('this is no script of Kez');
}
