// Bundles the programs into dist/, as JavaScript that starts without a loader, and compiles the shim.
import {execFileSync} from 'node:child_process'
import {readFile, rm} from 'node:fs/promises'
import {basename, resolve} from 'node:path'
import {build} from 'esbuild'
import {buildPage} from './build-page.mjs'

// The name of a chunk is a hash of its content: without this, chunks of earlier builds would accumulate.
await rm('dist', {recursive: true, force: true})
const common = {
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node24',
  // Smaller files start faster. Names and lines are kept for stack traces.
  minifySyntax: true,
  // Charts show the names of guard functions.
  keepNames: true,
  // Native: loaded from node_modules at run time.
  external: ['koffi', '@resvg/resvg-js'],
  metafile: true,
  logLevel: 'warning',
}
/** A script cannot wait at its top level, which the main file of a program may do: what comes after its imports becomes an asynchronous function. */
const waiting = {
  name: 'waiting',
  setup: ({initialOptions, onLoad}) => {
    const [main] = Object.values(initialOptions.entryPoints).map((file) => resolve(file))
    onLoad({filter: /\.ts$/}, async ({path}) => {
      if (path !== main) return undefined
      const text = await readFile(path, 'utf8')
      const [imports = ''] = /^(?:\/\*\*.*?\*\/\n)?(?:import .*?from '[^']*'\n)*/s.exec(text) ?? []
      return {loader: 'ts', contents: `${imports}void (async () => {${text.slice(imports.length)}})()`}
    })
  },
}

// One script in a function, for src/kernel/code-cache.ts. The cached bytecode is that of a name, so it has a hash of the content.
const {metafile} = await build({
  ...common,
  entryPoints: {'supervisor-main': 'src/supervisor/main.ts'},
  entryNames: '[name]-[hash]',
  plugins: [waiting],
  outExtension: {'.js': '.cjs'},
  format: 'cjs',
  banner: {js: '(function (exports, require, __filename, __dirname, __url) {'},
  footer: {js: '})'},
  define: {'import.meta.url': '__url', 'import.meta.dirname': '__dirname'},
})
const [supervisorProgram = ''] = Object.keys(metafile.outputs).map((file) => basename(file))
await build({
  ...common,
  entryPoints: {
    supervisor: 'src/supervisor/start.ts',
    coordinator: 'src/coordinator/main.ts',
    tally: 'src/cli/main.ts',
    client: 'src/client/index.ts',
  },
  splitting: true,
  format: 'esm',
  define: {supervisorProgram: JSON.stringify(supervisorProgram)},
  // nats and other dependencies are CommonJS, and load modules of Node.js with require.
  banner: {js: "import {createRequire as __createRequire} from 'node:module'; const require = __createRequire(import.meta.url);"},
})
execFileSync('sh', ['scripts/build-shim.sh'], {stdio: 'inherit'})
await buildPage()
