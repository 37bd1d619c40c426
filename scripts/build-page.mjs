// Bundles the page into dist/web/: index.html, and assets whose names have a hash of their content, so that browsers can cache them.
import {copyFile, mkdir, readFile, writeFile} from 'node:fs/promises'
import {basename} from 'node:path'
import {build} from 'esbuild'
import {layOutCharts} from '../src/web/page/chart/lay-out.ts'

const source = 'src/web/page'
const assets = 'dist/web/assets'

/** The module `tally:charts`: elkjs computes the layout of the charts once, here, and not in every browser. */
const charts = {
  name: 'charts',
  setup: ({onResolve, onLoad}) => {
    onResolve({filter: /^tally:charts$/}, ({path}) => ({path, namespace: 'tally'}))
    onLoad({filter: /.*/, namespace: 'tally'}, async () => ({contents: `export const layouts = ${JSON.stringify(await layOutCharts())}`}))
  },
}

export async function buildPage() {
  await mkdir(assets, {recursive: true})
  const {metafile} = await build({
    entryPoints: {page: `${source}/main.tsx`, style: `${source}/styles/index.css`},
    outdir: assets,
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    minify: true,
    // Charts show the names of guard functions.
    keepNames: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome125', 'firefox128', 'safari18'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    loader: {'.woff2': 'file'},
    plugins: [charts],
    metafile: true,
    logLevel: 'warning',
  })
  const entries = Object.entries(metafile.outputs).filter(([, {entryPoint}]) => entryPoint !== undefined)
  const find = (name) => basename(entries.find(([, {entryPoint}]) => entryPoint === `${source}/${name}`)[0])
  const html = (await readFile(`${source}/index.html`, 'utf8'))
    .replace('/assets/style.css', `/assets/${find('styles/index.css')}`)
    .replace('/assets/page.js', `/assets/${find('main.tsx')}`)
  await writeFile('dist/web/index.html', html)
  await copyFile(`${source}/icon.svg`, `${assets}/icon.svg`)
}
