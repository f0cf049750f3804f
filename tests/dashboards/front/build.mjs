// Makes the page: main.jsx and what it takes of Grafana's packages, as one script and one style.
import { copyFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

await build({
  entryPoints: [at('main.jsx')],
  outdir: at('dist'),
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  logLevel: 'error',
  define: { 'process.env.NODE_ENV': '"production"', 'process.env': '{}', global: 'globalThis' },
  alias: {
    // Two panels and one question, not all of the packages: the rest leads to editors and maps,
    // in whose place package.json puts a tiny package.
    'grafana-annotations': at('node_modules/@grafana/prometheus/dist/esm/annotations.mjs'),
    'grafana-ui': at('node_modules/@grafana/ui/dist/esm'),
    '@react-aria/focus': at('absent.js'),
  },
  plugins: [{
    name: 'absent',
    setup({ onResolve }) {
      onResolve({ filter: /AnnotationQueryEditor\.mjs$/ }, () => ({ path: at('absent.js') }));
    },
  }],
});
copyFileSync(at('index.html'), at('dist/index.html'));
