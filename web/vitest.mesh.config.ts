// Tests of the client against a real mesh, from Node: `npm run test:mesh`. Node 20 has browsers' WebSocket behind a flag.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  test: {
    environment: 'node',
    include: ['e2e/**/*.mesh.ts'],
    pool: 'forks',
    execArgv: ['--experimental-websocket'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Longer than the longest wait before another attempt.
    expect: { poll: { timeout: 20_000 } },
    fileParallelism: false,
  },
});
