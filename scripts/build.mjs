// Bundles the programs into dist/: plain JavaScript, started without a loader.
import {rm} from 'node:fs/promises'
import {build} from 'esbuild'
import {buildPage} from './build-page.mjs'

// Chunks have their contents' hash for a name: those of former builds would stay for ever.
await rm('dist', {recursive: true, force: true})
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
  // Less to read at every start. Names and lines stay, so that a stack trace says where it was.
  minifySyntax: true,
  // By its name a chart tells what a condition is made of.
  keepNames: true,
  // Native: loaded from node_modules at run time.
  external: ['koffi', '@resvg/resvg-js'],
  // nats and others are CommonJS inside, and ask for node's own modules with require.
  banner: {js: "import {createRequire as __createRequire} from 'node:module'; const require = __createRequire(import.meta.url);"},
  logLevel: 'warning',
})
await buildPage()
