// Bundles the four programs into dist/: plain JavaScript, started without a loader.
import {build} from 'esbuild'

await build({
  entryPoints: {
    supervisor: 'src/supervisor/main.ts',
    coordinator: 'src/coordinator/main.ts',
    tally: 'src/cli/main.ts',
    client: 'src/client/index.ts',
  },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  sourcemap: true,
  // Native: loaded from node_modules at run time.
  external: ['koffi'],
  // nats and others are CommonJS inside, and ask for node's own modules with require.
  banner: {js: "import {createRequire as __createRequire} from 'node:module'; const require = __createRequire(import.meta.url);"},
  logLevel: 'warning',
})
