/** Writes a chart as one SVG file that contains its style, light and dark. */
import type {ChartLayout, PlacedEdge, PlacedInitial, PlacedLine, PlacedState} from './chart-layout.ts'
import {type ChartMarks, hasMarks, noMarks} from './marks.ts'
import {textStyles} from './measure.ts'
import type {ChartTransition} from './model.ts'
import {toArrowHead, toRoundedPath} from './svg-path.ts'
import {type Fonts, type Theme, toStyle} from './svg-style.ts'
import {escapeXml} from './xml.ts'

export interface SvgOptions {
  readonly marks?: ChartMarks
  /** By default the theme of the reader's system. */
  readonly theme?: Theme
  /** For renderers that only use the first family of a list; by default lists of common system fonts. */
  readonly fonts?: Fonts
  /** The title, for screen readers and browser tabs. */
  readonly title?: string
}

export function renderSvg(layout: ChartLayout, {marks = noMarks, theme, fonts, title}: SvgOptions = {}): string {
  const {model, width, height, states, initials, edges, anywhere} = layout
  const transitions = new Map(model.transitions.map((one) => [one.id, one]))
  // Highlighted edges are painted last, on top of the others.
  const ordered = edges.toSorted((a, b) => rank(a.transitions) - rank(b.transitions))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeXml(title ?? `The chart of ${model.id}`)}</title>`,
    `<style>\n${escapeXml(toStyle(theme, fonts))}\n</style>`,
    `<rect class="paper" width="${width}" height="${height}"/>`,
    ...layout.title.map((line) => toText(line)),
    ...states.map(toState),
    ...initials.map(toInitial),
    ...ordered.map(toWire),
    ...edges.map(toLabel),
    ...(anywhere.lines.length > 0 ? toAnywhere() : []),
    '</svg>',
    '',
  ].join('\n')

  function rank(ids: readonly string[]): number {
    if (ids.some((id) => marks.last.has(id))) return 2
    return ids.some((id) => marks.possible.has(id)) ? 1 : 0
  }

  function toClass(ids: readonly string[]): string {
    if (!hasMarks(marks)) return ''
    return [' dim', ' possible', ' last'][rank(ids)] ?? ''
  }

  function toState(placed: PlacedState): string {
    const state = model.states.get(placed.id)
    const {x, y, width, height, lines, isRegion} = placed
    const isCompound = (state?.states.length ?? 0) > 0
    const classes = ['state', isCompound && 'compound', isRegion && 'region', state?.type, marks.active.has(placed.id) && 'active']
    const name = lines.find(({kind}) => kind === 'name')
    return [
      `<g class="${classes.filter((part) => typeof part === 'string').join(' ')}" data-state="${escapeXml(placed.id)}">`,
      `<title>${escapeXml([placed.id, state?.description].filter((part) => part !== undefined).join(': '))}</title>`,
      `<rect class="box" x="${x}" y="${y}" width="${width}" height="${height}" rx="${isCompound ? 10 : 8}"/>`,
      ...lines.map(toText),
      ...(name && state?.tags.includes('in-flight') ? [toInFlightMark(name, x + width)] : []),
      '</g>',
    ].join('')
  }

  function toInitial({x, y, radius, points}: PlacedInitial): string {
    const wire = `<path class="wire" d="${toRoundedPath(points)}"/><path class="head" d="${toArrowHead(points)}"/>`
    return `<g class="initial"><circle class="dot" cx="${x}" cy="${y}" r="${radius}"/>${wire}</g>`
  }

  function toWire({source, target, points, transitions: ids}: PlacedEdge): string {
    return [
      `<g class="edge${toClass(ids)}" data-source="${escapeXml(source)}" data-target="${escapeXml(target)}">`,
      `<path class="wire" d="${toRoundedPath(points)}"/><path class="head" d="${toArrowHead(points)}"/>`,
      '</g>',
    ].join('')
  }

  function toLabel({label, transitions: ids}: PlacedEdge): string {
    const {x, y, width, height, lines} = label
    return [
      `<g class="label${hasMarks(marks) && rank(ids) === 0 ? ' dim' : ''}">`,
      `<rect class="plate" x="${x}" y="${y}" width="${width}" height="${height}" rx="4"/>`,
      ...lines.map(toText),
      '</g>',
    ].join('')
  }

  function toAnywhere(): readonly string[] {
    const {x, y, width} = anywhere
    return [`<line class="rule" x1="${x}" y1="${y}" x2="${x + width}" y2="${y}"/>`, ...anywhere.lines.map(toText)]
  }

  function toText({kind, text, x, y, width, transition}: PlacedLine): string {
    const found = transition === undefined ? undefined : transitions.get(transition)
    const isLast = found !== undefined && marks.last.has(found.id)
    const isPossible = found !== undefined && kind === 'event' && marks.possible.has(found.id)
    const classes = [kind, isLast ? 'last' : isPossible ? 'possible' : ''].filter((part) => part !== '').join(' ')
    const {lineHeight, size} = textStyles[kind]
    const halo = isLast ? `<rect class="halo" x="${x - 3}" y="${y - size}" width="${width + 6}" height="${lineHeight}" rx="3"/>` : ''
    const data = found ? ` data-transition="${escapeXml(found.id)}"` : ''
    const shown = `<text class="${classes}" x="${x}" y="${y}"${data}>${found ? `<title>${escapeXml(describe(found))}</title>` : ''}${escapeXml(text)}</text>`
    return halo + shown
  }
}

/** `container.exited [hasNoLiveExec and …]: Its description. → timer.cancel, runtime.sweep` */
function describe({event, guard, description, effects}: ChartTransition): string {
  const what = [event, guard === undefined ? '' : `[${guard}]`].filter((part) => part !== '').join(' ')
  return [description === undefined ? what : `${what}: ${description}`, ...(effects.length > 0 ? [`→ ${effects.join(', ')}`] : [])].join(
    ' ',
  )
}

/** Three dots after the name: an effect is in flight. */
function toInFlightMark({y}: PlacedLine, right: number): string {
  const centres = [0, 5, 10].map((offset) => right - 24 + offset)
  return centres.map((x) => `<circle class="mark" cx="${x}" cy="${y - 4}" r="1.2"/>`).join('')
}
