// Builds the service worker as one script of its own, and tells it what it keeps: every script and style of the page's build,
// the fonts of Latin script, and the page.
import { createHash } from 'node:crypto';
import { build, type Plugin } from 'vite';

/** What @hpke/core asks for where there is no WebCrypto: never in a browser. */
export const NODE_ONLY = ['crypto'];

/** What lies in public/ and belongs to the shell. */
const PUBLIC = ['/icon.svg', '/icon-192.png', '/manifest.webmanifest'];
const ENTRY = 'src/service-worker.ts';
const FILE = 'service-worker.js';
const KEPT = /^assets\/(.*\.(js|css|wasm)|.*-latin-wght-normal-.*\.woff2)$/;

export function serviceWorker(): Plugin {
  return {
    name: 'service-worker',
    apply: 'build',
    generateBundle: {
      order: 'post',
      async handler(_options, bundle) {
        const assets = Object.keys(bundle).filter((name) => KEPT.test(name));
        const shell = ['/', ...PUBLIC, ...assets.sort().map((name) => `/${name}`)];
        const page = bundle['index.html'];
        const content = page?.type === 'asset' ? page.source : '';
        const version = createHash('sha256')
          .update(JSON.stringify(shell))
          .update(content)
          .digest('hex')
          .slice(0, 16);
        const head = `const SHELL=${JSON.stringify(shell)},VERSION=${JSON.stringify(version)};`;
        this.emitFile({ type: 'asset', fileName: FILE, source: head + (await script()) });
      },
    },
  };
}

/**
 * Everything that the service worker needs, in one script: what it shares with the page stands in both, since a worker that
 * is woken must not wait for anything else. No module, for not every browser that knows pushes knows workers that are one.
 */
async function script(): Promise<string> {
  const output = await build({
    configFile: false,
    logLevel: 'warn',
    build: {
      write: false,
      minify: true,
      reportCompressedSize: false,
      // As a library: what pages need for parts that they load late has no place here.
      lib: { entry: ENTRY, formats: ['iife'], name: 'kez' },
      rolldownOptions: { external: NODE_ONLY, output: { codeSplitting: false } },
    },
  });
  const chunks = [output].flat().flatMap((built) => ('output' in built ? built.output : []));
  const [chunk, ...others] = chunks;
  if (chunk?.type !== 'chunk' || others.length > 0) throw new Error('the service worker must stand alone');
  return chunk.code;
}
