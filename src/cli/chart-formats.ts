/** The output formats of a chart. */
import {extname} from 'node:path'
import type {ChartMarks} from '../chart/marks.ts'
import type {ChartModel} from '../chart/model.ts'
import {renderText} from '../chart/text.ts'

export const chartFormats = ['text', 'svg', 'png', 'mermaid', 'scxml', 'dot', 'json'] as const
export type ChartFormat = (typeof chartFormats)[number]

const extensions: Readonly<Record<string, ChartFormat>> = {
  '.txt': 'text',
  '.svg': 'svg',
  '.png': 'png',
  '.mmd': 'mermaid',
  '.mermaid': 'mermaid',
  '.scxml': 'scxml',
  '.xml': 'scxml',
  '.dot': 'dot',
  '.gv': 'dot',
  '.json': 'json',
}

/** The format that the extension of a file stands for; undefined for an unknown one. */
export function toFormat(file: string): ChartFormat | undefined {
  return extensions[extname(file).toLowerCase()]
}

export interface FormatOptions {
  readonly marks: ChartMarks
  /** The container and the event that the chart shows. */
  readonly caption: string | undefined
  readonly width: number
  readonly colour: boolean
}

/** Modules that draw pictures are loaded only for pictures. */
export async function renderChart(
  model: ChartModel,
  format: ChartFormat,
  {marks, caption, width, colour}: FormatOptions,
): Promise<string | Uint8Array> {
  const title = caption && {title: `${model.id}: ${caption}`}
  switch (format) {
    case 'text':
      return `${caption === undefined ? '' : `${caption}\n`}${renderText(model, {marks, width, colour})}`
    case 'svg': {
      const [{layoutChart}, {renderSvg}] = await Promise.all([import('../chart/layout.ts'), import('../chart/svg.ts')])
      return renderSvg(await layoutChart(model), {marks, ...title})
    }
    case 'png': {
      const [{layoutChart}, {renderPng}] = await Promise.all([import('../chart/layout.ts'), import('./chart-png.ts')])
      return renderPng(await layoutChart(model), {marks, ...title})
    }
    case 'mermaid':
      return (await import('../chart/mermaid.ts')).renderMermaid(model, marks)
    case 'scxml':
      return (await import('../chart/scxml.ts')).renderScxml(model, marks)
    case 'dot':
      return (await import('../chart/dot.ts')).renderDot(model, marks)
    case 'json':
      return (await import('../chart/json.ts')).renderJson(model, marks)
  }
}
