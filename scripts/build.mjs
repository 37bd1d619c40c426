// Bundles the programs into dist/, as JavaScript that starts without a loader, and compiles the shim.
import {execFileSync} from 'node:child_process'
import {rm} from 'node:fs/promises'
import {build} from 'esbuild'
import {buildPage} from './build-page.mjs'

// The name of a chunk is a hash of its content: without this, chunks of earlier builds would accumulate.
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
  // Smaller files start faster. Names and lines are kept for stack traces.
  minifySyntax: true,
  // Charts show the names of guard functions.
  keepNames: true,
  // Native: loaded from node_modules at run time.
  external: ['koffi', '@resvg/resvg-js'],
  // nats and other dependencies are CommonJS, and load modules of Node.js with require.
  banner: {js: "import {createRequire as __createRequire} from 'node:module'; const require = __createRequire(import.meta.url);"},
  logLevel: 'warning',
})
execFileSync('sh', ['scripts/build-shim.sh'], {stdio: 'inherit'})
await buildPage()
