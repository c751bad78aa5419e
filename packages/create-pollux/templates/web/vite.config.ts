import { defineConfig } from "vite";

export default defineConfig({
  build: { chunkSizeWarningLimit: 1000, rolldownOptions: { checks: { moduleLevelDirective: false } } },
  // Compiled JSX imports it. Found later, it would reload the page at its first use.
  optimizeDeps: { include: ["react/jsx-dev-runtime"] },
});
