/**
 * Renders a chart for a terminal: nested boxes with their transitions, the regions of parallel states side by side. Below the width
 * `narrow` it is a tree.
 */
import {staysIn} from './box.ts'
import {type ChartMarks, hasMarks, noMarks} from './marks.ts'
import type {ChartModel, ChartState, ChartTransition} from './model.ts'
import {type Block, flow, type Line, lengthOf, type Span, span, toFrame, toText, type Tone, widthOf, wrapSpans} from './text-block.ts'

export interface TextOptions {
  readonly marks?: ChartMarks
  /** The width of the terminal in columns. */
  readonly width?: number
  /** Use colours in addition to signs for highlights. */
  readonly colour?: boolean
  /** Render a tree at any width: one line for each state. */
  readonly tree?: boolean
}

/** The signs for active states, possible and last transitions, and in-flight states. */
export const signs = {active: '●', possible: '›', last: '»', inFlight: '⋯'} as const
const narrow = 60
const usualWidth = 100

export function renderText(
  model: ChartModel,
  {marks = noMarks, width = usualWidth, colour = false, tree = false}: TextOptions = {},
): string {
  const block =
    tree || width < narrow ? toTree(model.root, '') : toFrame(toTitle(model.root), toContents(model.root, width - 4), frameOf(model.root))
  return `${toText(widthOf(block) > width ? clip(block, width) : block, {colour})}\n`

  function toState(state: ChartState, width: number): Block {
    return toFrame(toTitle(state), toContents(state, width - 4), frameOf(state))
  }

  function toContents(state: ChartState, width: number): Block {
    const own = model.transitions.filter(({source}) => source === state.id)
    const staying = own.filter(staysIn)
    return [
      ...state.entry.map((effect) => [span(`entry: ${effect}`, 'dim')]),
      ...own.filter((one) => !staysIn(one)).map((one) => toArrow(one)),
      ...(state.id === '' ? [] : toStaying(staying, Math.min(width, 44))),
      ...flow(
        state.states.map((child) => toState(child, width)),
        width,
      ),
      ...(state.id === '' && staying.length > 0 ? [[span('in any state: ', 'dim')], ...toStaying(staying, width)] : []),
    ]
  }

  function toStaying(transitions: readonly ChartTransition[], width: number): Block {
    const items = transitions.map((one): Span => span(`${signOf(one)}${toEvent(one)}`, toneOf(one)))
    return wrapSpans(items, width).map((line, index) => [span(index === 0 ? '↻ ' : '  ', 'dim'), ...line])
  }

  function toArrow(one: ChartTransition): Line {
    return [span(`${signOf(one)}${toEvent(one)}`, toneOf(one)), span(' → ', 'dim'), span(toTargets(one), toneOf(one))]
  }

  function toTitle(state: ChartState): Line {
    const isActive = marks.active.has(state.id)
    const flight = state.tags.includes('in-flight') ? ` ${signs.inFlight}` : ''
    return [span(`${isActive ? `${signs.active} ` : ''}${state.name}${flight}`, isActive ? 'active' : 'bold')]
  }

  function frameOf(state: ChartState): Parameters<typeof toFrame>[2] {
    const isRegion = model.states.get(parentOf(state.id))?.type === 'parallel' && state.id !== ''
    if (state.id === '') return {border: 'round', tone: 'dim'}
    if (state.type === 'final') return {border: 'double', tone: toneOfState(state)}
    if (isRegion) return {border: 'dashed', tone: 'dim'}
    return {border: marks.active.has(state.id) ? 'heavy' : 'round', tone: toneOfState(state)}
  }

  function toneOfState({id}: ChartState): Tone {
    return marks.active.has(id) ? 'active' : 'dim'
  }

  function toneOf({id}: ChartTransition): Tone {
    if (marks.last.has(id)) return 'last'
    if (marks.possible.has(id)) return 'possible'
    return hasMarks(marks) ? 'dim' : 'plain'
  }

  function signOf({id}: ChartTransition): string {
    if (marks.last.has(id)) return `${signs.last} `
    return marks.possible.has(id) ? `${signs.possible} ` : ''
  }

  /** With highlights, only active states have their transitions; otherwise all states have them. */
  function toTree(state: ChartState, indent: string): Block {
    const isShown = !hasMarks(marks) || marks.active.has(state.id)
    const own = isShown && state.id !== '' ? model.transitions.filter((one) => one.source === state.id && !staysIn(one)) : []
    const children = [...own.map((one) => [toArrow(one)]), ...state.states.map((child) => toTree(child, ''))]
    return [
      [span(indent), ...toTitle(state)],
      ...children.flatMap((child, index) => {
        const isLast = index === children.length - 1
        return child.map((line, row) => [span(row === 0 ? (isLast ? '└─ ' : '├─ ') : isLast ? '   ' : '│  ', 'dim'), ...line])
      }),
    ]
  }
}

function toEvent({label, shortGuard}: ChartTransition): string {
  return shortGuard === undefined ? label : `${label} [${shortGuard}]`
}

/** Several targets are in regions of one state, whose name is written once. */
function toTargets(one: ChartTransition): string {
  const [first = '', ...others] = one.targets
  const shared = `${first.split('.')[0]}.`
  return [
    toTarget(one, first),
    ...others.map((other) => (other.startsWith(shared) ? other.slice(shared.length) : toTarget(one, other))),
  ].join(', ')
}

/** The path without the prefix that it shares with the source. */
function toTarget({source}: ChartTransition, target: string): string {
  const parent = parentOf(source)
  return parent !== '' && target.startsWith(`${parent}.`) ? target.slice(parent.length + 1) : target
}

function parentOf(state: string): string {
  return state.slice(0, Math.max(0, state.lastIndexOf('.')))
}

/** Cuts lines that are too long and marks them with an ellipsis. */
function clip(block: Block, width: number): Block {
  return block.map((line) => {
    if (lengthOf(line) <= width) return line
    const kept: Span[] = []
    let room = width - 1
    for (const {text, tone} of line) {
      const part = [...text].slice(0, room).join('')
      kept.push(span(part, tone))
      room -= [...part].length
    }
    return [...kept, span('…', 'dim')]
  })
}
