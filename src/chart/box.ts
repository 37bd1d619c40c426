/** The text in the box of a state, and the size of the box. */
import {measureText, type TextKind, textStyles, wrapText} from './measure.ts'
import type {ChartModel, ChartState, ChartTransition} from './model.ts'

/** The direction in which transitions lead. */
export type Direction = 'down' | 'right'

/** One line of text. */
export interface BoxLine {
  readonly kind: TextKind
  readonly text: string
  /** The id of the transition that this line describes. */
  readonly transition?: string
}

export interface Box {
  /** The text is above the nested states, or left of them when edges cross the upper border. */
  readonly place: 'top' | 'left'
  /** The name, the description, and the transitions that stay in the state. */
  readonly lines: readonly BoxLine[]
  readonly width: number
  readonly height: number
}

export const boxPadding = {x: 12, y: 9} as const
const noteWidth = {atomic: 170, compound: 300, side: 150} as const
const guardWidth = 150
/** Room beside the name for the in-flight mark. */
const markWidth = 22

export function toBox(model: ChartModel, state: ChartState, direction: Direction): Box {
  const place = direction === 'down' && isCrossed(model, state) ? 'left' : 'top'
  const lines = toLines(model, state, state.states.length === 0 ? 'atomic' : place === 'left' ? 'side' : 'compound')
  const width = Math.max(
    ...lines.map(({text, kind}) => measureText(text, kind) + (kind === 'name' && state.tags.length > 0 ? markWidth : 0)),
  )
  const height = toHeight(lines)
  return {place, lines, width: Math.max(64, width + 2 * boxPadding.x), height: height + 2 * boxPadding.y}
}

/** The height of lines that are stacked. */
export function toHeight(lines: readonly BoxLine[]): number {
  return lines
    .map((line, index) => gapAbove(line, lines[index - 1]) + textStyles[line.kind].lineHeight)
    .reduce((sum, line) => sum + line, 0)
}

/** A gap separates transitions from the name and the description. */
export function gapAbove(line: BoxLine, above: BoxLine | undefined): number {
  return line.kind === 'event' && (above?.kind === 'note' || above?.kind === 'name') ? 4 : 0
}

/** The text of a transition: its event, and its condition below. */
export function toTransitionLines({id, label, shortGuard}: ChartTransition): readonly BoxLine[] {
  const guard = shortGuard === undefined ? [] : wrapText(`[${shortGuard}]`, 'guard', guardWidth)
  return [{kind: 'event', text: label, transition: id}, ...guard.map((text) => ({kind: 'guard', text, transition: id}) as const)]
}

/** Transitions without a target, or whose target is their source. */
export function staysIn({source, targets}: ChartTransition): boolean {
  return targets.every((target) => target === source)
}

/** Whether an edge crosses the border of a state. */
function isCrossed({transitions}: ChartModel, {id}: ChartState): boolean {
  const isWithin = (other: string) => id !== '' && other.startsWith(`${id}.`)
  return transitions.some(({source, targets}) => targets.some((target) => isWithin(source) !== isWithin(target)))
}

function toLines(model: ChartModel, state: ChartState, width: keyof typeof noteWidth): readonly BoxLine[] {
  return [
    {kind: 'name', text: state.name},
    ...wrapText(state.description ?? '', 'note', noteWidth[width]).map((text) => ({kind: 'note', text}) as const),
    ...[...state.entry.map((effect) => `entry: ${effect}`), ...state.exit.map((effect) => `exit: ${effect}`)].map(
      (text) => ({kind: 'event', text}) as const,
    ),
    ...model.transitions.filter((one) => one.source === state.id && staysIn(one)).flatMap(toInnerLines),
  ]
}

function toInnerLines(transition: ChartTransition): readonly BoxLine[] {
  const sign = transition.targets.length > 0 ? '↻' : '•'
  // SVG drops a leading space; a no-break space is kept.
  return toTransitionLines(transition).map((line) => ({...line, text: `${line.kind === 'event' ? sign : '\u00a0'} ${line.text}`}))
}
