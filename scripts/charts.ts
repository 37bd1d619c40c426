/** Writes the pictures in docs/charts/. Run it after every change of a machine. */
import {mkdirSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {renderChartFiles} from '../src/chart/files.ts'

const directory = join(import.meta.dirname, '../docs/charts')
mkdirSync(directory, {recursive: true})
for (const {name, content} of await renderChartFiles()) {
  writeFileSync(join(directory, name), content)
  console.log(`docs/charts/${name}`)
}
