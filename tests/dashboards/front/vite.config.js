import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

export default {
  base: './',
  define: { 'process.env': {}, global: 'globalThis' },
  esbuild: { jsx: 'automatic' },
  resolve: {
    alias: {
      'react-router-dom-v5-compat': 'react-router-dom',
      'grafana-annotations': at('./node_modules/@grafana/prometheus/dist/esm/annotations.mjs'),
    },
  },
  build: { chunkSizeWarningLimit: 20000 },
};
