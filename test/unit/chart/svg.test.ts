import {createRequire} from 'node:module'
import {dirname, join} from 'node:path'
import {Resvg} from '@resvg/resvg-js'
import {DOMParser, onErrorStopParsing} from '@xmldom/xmldom'
import {describe, expect, it} from 'vitest'
import {layoutChart} from '../../../src/chart/layout.ts'
import {chartedMachines} from '../../../src/chart/machines.ts'
import {textStyles} from '../../../src/chart/measure.ts'
import {toChartModel} from '../../../src/chart/model.ts'
import {foldMachine, toMarks} from '../../../src/chart/moment.ts'
import {renderSvg} from '../../../src/chart/svg.ts'
import {escapeXml} from '../../../src/chart/xml.ts'
import {renderPng} from '../../../src/cli/chart-png.ts'
import {started} from './journals.ts'

const fonts = join(dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf')
const fontFiles = ['DejaVuSans', 'DejaVuSans-Bold', 'DejaVuSansMono', 'DejaVuSansMono-Bold'].map((name) => join(fonts, `${name}.ttf`))
/** Layouts and fonts take long on a busy machine. */
const patienceMs = 30_000

describe.each(Object.values(chartedMachines))('the picture of $id', {timeout: patienceMs}, async (machine) => {
  const layout = await layoutChart(toChartModel(machine))
  const marks = toMarks(machine, foldMachine(machine, started))
  const svg = renderSvg(layout, {marks})
  const document = parse(svg)

  it('is XML and refers to no other file', () => {
    expect(document.documentElement?.localName).toBe('svg')
    expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:|url\(|href|<script|@import/)
  })

  it('highlights active states, possible transitions and the last transition', () => {
    const lit = byClass('active').map((element) => element.getAttribute('data-state'))
    expect(new Set(lit)).toEqual(marks.active)
    const texts = (name: string) => new Set(byClass(name).flatMap((element) => element.getAttribute('data-transition') || []))
    expect(texts('last')).toEqual(marks.last)
    expect(texts('possible')).toEqual(new Set([...marks.possible].filter((id) => !marks.last.has(id))))
  })

  it('measures no text narrower than the widest font renders it', () => {
    const lines = [...layout.title, ...layout.states.flatMap((state) => state.lines), ...layout.edges.flatMap(({label}) => label.lines)]
    for (const {text, kind, width} of lines) expect(widthInDejaVu(text, kind), `${kind} ${text}`).toBeLessThanOrEqual(width)
  })

  it('has light and dark colours, or those of the chosen theme', () => {
    expect(svg).toContain('prefers-color-scheme: dark')
    expect(renderSvg(layout, {theme: 'dark'})).not.toContain('prefers-color-scheme')
  })

  function byClass(name: string) {
    return [...document.getElementsByTagName('*')].filter((element) => (element.getAttribute('class') ?? '').split(' ').includes(name))
  }
})

it('is rendered as PNG at twice its size', async () => {
  const layout = await layoutChart(toChartModel(chartedMachines.supervisor))
  const png = Buffer.from(renderPng(layout))
  expect(png.subarray(1, 4).toString()).toBe('PNG')
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([2 * layout.width, 2 * layout.height].map(Math.round))
})

it('escapes the title', async () => {
  const layout = await layoutChart(toChartModel(chartedMachines.supervisor))
  const title = '</title><script>alert(1)</script> & "\u0000'
  expect(parse(renderSvg(layout, {title})).getElementsByTagName('title')[0]?.textContent).toBe(title.slice(0, -1))
  expect(escapeXml('a\u0007b\ufffec')).toBe('abc')
})

function parse(svg: string) {
  return new DOMParser({onError: onErrorStopParsing}).parseFromString(svg, 'image/svg+xml')
}

function widthInDejaVu(text: string, kind: keyof typeof textStyles): number {
  const {size, mono, bold} = textStyles[kind]
  const style = `font-family="DejaVu Sans${mono ? ' Mono' : ''}" font-size="${size}" font-weight="${bold ? 700 : 400}"`
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="900" height="60"><text x="10" y="40" ${style}>${escapeXml(text)}</text></svg>`
  return new Resvg(svg, {font: {loadSystemFonts: false, fontFiles}}).innerBBox()?.width ?? 0
}
