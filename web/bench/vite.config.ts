// Builds the benchmark as files that Node runs; what it measures is dist/, as it was built before.
import { defineConfig } from 'vite';

export default defineConfig({
  build: { ssr: 'bench/main.ts', outDir: 'bench/dist', target: 'node20', copyPublicDir: false },
  logLevel: 'warn',
});
