/** What is written into the box of a state, and how much room it takes. */
import {measureText, type TextKind, textStyles, wrapText} from './measure.ts'
import type {ChartModel, ChartState, ChartTransition} from './model.ts'

/** Which way time goes. */
export type Direction = 'down' | 'right'

/** One line of text. */
export interface BoxLine {
  readonly kind: TextKind
  readonly text: string
  /** The transition that it tells of, for one that stays in its state. */
  readonly transition?: string
}

export interface Box {
  /** Where the text is: above what is within, or left of it where arrows pass through the upper border. */
  readonly place: 'top' | 'left'
  /** Name, description, and what happens without leaving the state. */
  readonly lines: readonly BoxLine[]
  readonly width: number
  readonly height: number
}

export const boxPadding = {x: 12, y: 9} as const
const noteWidth = {atomic: 170, compound: 300, side: 150} as const
const guardWidth = 150
/** Beside the name, for the mark of a state that is in flight. */
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

/** Of lines below each other. */
export function toHeight(lines: readonly BoxLine[]): number {
  return lines
    .map((line, index) => gapAbove(line, lines[index - 1]) + textStyles[line.kind].lineHeight)
    .reduce((sum, line) => sum + line, 0)
}

/** What happens is set apart from what is said of the state. */
export function gapAbove(line: BoxLine, above: BoxLine | undefined): number {
  return line.kind === 'event' && (above?.kind === 'note' || above?.kind === 'name') ? 4 : 0
}

/** Of a transition, as a label or within a box: the event, and below it the condition. */
export function toTransitionLines({id, label, shortGuard}: ChartTransition): readonly BoxLine[] {
  const guard = shortGuard === undefined ? [] : wrapText(`[${shortGuard}]`, 'guard', guardWidth)
  return [{kind: 'event', text: label, transition: id}, ...guard.map((text) => ({kind: 'guard', text, transition: id}) as const)]
}

/** Those that stay where they are: without a target, or with themselves for one. */
export function staysIn({source, targets}: ChartTransition): boolean {
  return targets.every((target) => target === source)
}

/** An arrow leads from within to the outside, or from the outside to within. */
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
  // A space at the beginning would be lost in SVG.
  return toTransitionLines(transition).map((line) => ({...line, text: `${line.kind === 'event' ? sign : '\u00a0'} ${line.text}`}))
}
