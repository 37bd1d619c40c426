import {describe, expect, it} from 'vitest'
import {chartFormats} from '../../../src/cli/chart-formats.ts'
import {renderChartFiles} from '../../../src/chart/files.ts'
import {machineNames} from '../../../src/chart/machines.ts'
import {readProjectFile, readRows, unquote} from './markdown.ts'

const text = readProjectFile('docs/charts.md')

describe('the charts in docs', async () => {
  const files = await renderChartFiles()

  it.each(files)('$name is current: `npm run charts` writes it again', ({name, content}) => {
    expect(readProjectFile(`docs/charts/${name}`) === content).toBe(true)
  })

  it('are shown, each of them', () => {
    for (const {name} of files) expect(text).toContain(`(charts/${name})`)
    expect(machineNames.flatMap((machine) => [`${machine}.svg`, `${machine}.mmd`])).toEqual(files.map(({name}) => name))
  })

  it('come in the formats that the page names', () => {
    expect(readRows(text, 'format', 'what').map((row) => unquote(row['format'] ?? ''))).toEqual(chartFormats)
  })
})
