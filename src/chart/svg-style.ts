/** The style of a picture, light and dark. It uses no CSS variables, since the PNG renderer does not support them. */
import {textStyles} from './measure.ts'

export type Theme = 'light' | 'dark'

interface Palette {
  readonly paper: string
  readonly box: string
  readonly inner: string
  readonly border: string
  readonly text: string
  readonly muted: string
  readonly arrow: string
  readonly lit: string
  readonly litBorder: string
  readonly litText: string
  readonly possible: string
  readonly last: string
  readonly halo: string
}

const palettes: Readonly<Record<Theme, Palette>> = {
  light: {
    paper: '#fbfaf7',
    box: '#ffffff',
    inner: '#f5f3ee',
    border: '#b9b2a3',
    text: '#23282e',
    muted: '#6a6f76',
    arrow: '#8b8f95',
    lit: '#d9f0e4',
    litBorder: '#12805c',
    litText: '#0a4f39',
    possible: '#12805c',
    last: '#b4530b',
    halo: '#fbe6cf',
  },
  dark: {
    paper: '#14181d',
    box: '#1e242b',
    inner: '#191e24',
    border: '#48515c',
    text: '#e6e8ea',
    muted: '#9aa3ad',
    arrow: '#76818d',
    lit: '#143d30',
    litBorder: '#3ecf9b',
    litText: '#c5f5e1',
    possible: '#3ecf9b',
    last: '#f5a65b',
    halo: '#46301a',
  },
}

/** Values of `font-family`. */
export interface Fonts {
  readonly sans: string
  readonly mono: string
}

/** No font here is wider than the estimate in measure.ts. */
const usual: Fonts = {
  sans: `Inter, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif`,
  mono: `'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace`,
}

/** @param theme by default the theme of the reader's system */
export function toStyle(theme: Theme | undefined, fonts: Fonts = usual): string {
  const base = [toFonts(fonts), toColours(palettes[theme ?? 'light'])].join('\n')
  return theme ? base : `${base}\n@media (prefers-color-scheme: dark) {\n${toColours(palettes.dark)}\n}`
}

function toFonts({sans, mono}: Fonts): string {
  return Object.entries(textStyles)
    .map(([kind, {size, mono: isMono, bold}]) => {
      return `.${kind} {font-family: ${isMono ? mono : sans}; font-size: ${size}px; font-weight: ${bold ? 600 : 400}}`
    })
    .join('\n')
}

function toColours(colour: Palette): string {
  return `
.paper {fill: ${colour.paper}}
text {fill: ${colour.text}}
.note, .guard {fill: ${colour.muted}}
.box {fill: ${colour.box}; stroke: ${colour.border}; stroke-width: 1.2}
.compound > .box {fill: ${colour.inner}}
.region > .box {fill: ${colour.paper}; stroke-dasharray: 5 4}
.final > .box {stroke-width: 3}
.mark {fill: none; stroke: ${colour.muted}; stroke-width: 1.6}
.rule {stroke: ${colour.border}; stroke-width: 0.8}
.active > .box {fill: ${colour.lit}; stroke: ${colour.litBorder}; stroke-width: 2.2}
.active.compound > .box {fill: ${colour.inner}; stroke: ${colour.litBorder}; stroke-width: 1.8}
.active.region > .box {fill: ${colour.paper}}
.active > .name {fill: ${colour.litText}}
.active > .mark {stroke: ${colour.litBorder}}
.wire {fill: none; stroke: ${colour.arrow}; stroke-width: 1.3}
.head, .dot {fill: ${colour.arrow}}
.plate {fill: ${colour.paper}; fill-opacity: 0.92}
.edge.dim {opacity: 0.5}
.label.dim {opacity: 0.72}
.possible > .wire {stroke: ${colour.possible}; stroke-width: 1.8}
.possible > .head {fill: ${colour.possible}}
text.possible {fill: ${colour.possible}; font-weight: 600}
.last > .wire {stroke: ${colour.last}; stroke-width: 2.8}
.last > .head {fill: ${colour.last}}
text.last {fill: ${colour.last}; font-weight: 600}
.halo {fill: ${colour.halo}}`.trim()
}
