// How the client is built: hashed assets, nothing inlined, so that the content security policy can stay strict.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vitest/config';
import { compress } from './compress.ts';
import { NODE_ONLY, serviceWorker } from './service-worker.build.ts';

/** Where `npm run dev` finds a gateway; `./justw up` starts one there. */
const gateway = process.env['KEZ_GATEWAY'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [tailwindcss(), svelte(), serviceWorker(), compress()],
  build: {
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // How long each plugin took says nothing about the build.
    rolldownOptions: { external: NODE_ONLY, checks: { pluginTimings: false } },
  },
  worker: { format: 'es', rolldownOptions: { external: NODE_ONLY } },
  server: {
    proxy: {
      '/v1': { target: gateway, ws: true },
      '/.well-known': gateway,
      '/errors': gateway,
    },
  },
  test: {
    environment: 'node',
    include: ['src/**/*.test.ts', 'interop/**/*.test.ts'],
    // A machine that is busy with something else is no failure.
    testTimeout: 30_000,
    expect: { poll: { timeout: 10_000 } },
  },
});
