// Tells the service worker what it keeps: every script and style of this build, the fonts of Latin script, and the page.
import { createHash } from 'node:crypto';
import type { Plugin } from 'vite';

/** What lies in public/ and belongs to the shell. */
const PUBLIC = ['/icon.svg', '/icon-192.png', '/manifest.webmanifest'];
const FILE = 'service-worker.js';
const KEPT = /^assets\/(.*\.(js|css|wasm)|.*-latin-wght-normal-.*\.woff2)$/;

export function serviceWorker(): Plugin {
  return {
    name: 'service-worker',
    apply: 'build',
    config: () => ({
      build: {
        rollupOptions: {
          input: { index: 'index.html', 'service-worker': 'src/service-worker.ts' },
          output: {
            entryFileNames: ({ name }) => (name === 'service-worker' ? FILE : 'assets/[name]-[hash].js'),
          },
        },
      },
    }),
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const worker = bundle[FILE];
        if (worker?.type !== 'chunk' || worker.imports.length > 0)
          this.error('the service worker must stand alone');
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
        worker.code = head + worker.code;
      },
    },
  };
}
