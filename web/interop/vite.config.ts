// Builds what Rust asks this client's cryptography through, as one file that Node runs.
import { defineConfig } from 'vite';

export default defineConfig({
  build: {
    ssr: 'interop/main.ts',
    target: 'node20',
    copyPublicDir: false,
    rollupOptions: { output: { codeSplitting: false } },
  },
  ssr: { noExternal: true },
  logLevel: 'warn',
});
