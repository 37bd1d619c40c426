/** Charts as PNG, drawn with the fonts of a dependency: text fits its box, whatever fonts the machine has. */
import {createRequire} from 'node:module'
import {dirname, join} from 'node:path'
import {Resvg} from '@resvg/resvg-js'
import type {ChartLayout} from '../chart/chart-layout.ts'
import {renderSvg, type SvgOptions} from '../chart/svg.ts'

const fonts = {sans: 'DejaVu Sans', mono: 'DejaVu Sans Mono'} as const
const files = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf', 'DejaVuSansMono.ttf', 'DejaVuSansMono-Bold.ttf'] as const
/** Pixels of the file per pixel of the picture, for screens of high density. */
const scale = 2

/** The theme is light by default. */
export function renderPng(layout: ChartLayout, {theme = 'light', ...options}: SvgOptions = {}): Uint8Array {
  const directory = join(dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf')
  const picture = new Resvg(renderSvg(layout, {...options, theme, fonts}), {
    fitTo: {mode: 'zoom', value: scale},
    font: {loadSystemFonts: false, fontFiles: files.map((file) => join(directory, file)), defaultFontFamily: fonts.sans},
  })
  return picture.render().asPng()
}
