/**
 * Where everything of a chart is drawn: boxes, arrows, labels, so placed that nothing overlaps.
 *
 * All coordinates are pixels of one plane, from its upper left corner; none is relative to a box around it.
 */
import type {BoxLine} from './box.ts'
import type {ChartModel} from './model.ts'

export interface Point {
  readonly x: number
  readonly y: number
}
export interface Rectangle extends Point {
  readonly width: number
  readonly height: number
}

export interface ChartLayout {
  readonly model: ChartModel
  readonly width: number
  readonly height: number
  /** Name and description of the machine, at the top. */
  readonly title: readonly PlacedLine[]
  /** Outermost first: painted in this order, a state covers those around it. The machine as a whole is not among them. */
  readonly states: readonly PlacedState[]
  /** The dots from which arrows lead to the states in which a machine, or a compound state, begins. */
  readonly initials: readonly PlacedInitial[]
  readonly edges: readonly PlacedEdge[]
  /** What happens in any state, below all others; without lines when there is nothing. */
  readonly anywhere: PlacedLines
}

export interface PlacedState extends Rectangle {
  /** Its path: `running.execution.active`. `model.states` has the rest of it. */
  readonly id: string
  /** Of the state around it; empty at the top level. */
  readonly parent: string
  /** 1 at the top level. */
  readonly depth: number
  /** A part of a parallel state: drawn with a dashed border. */
  readonly isRegion: boolean
  readonly lines: readonly PlacedLine[]
}

/** Text whose left end is at `x` and whose baseline is at `y`. */
export interface PlacedLine extends Point, BoxLine {
  /** As measured: what the font makes of it is no wider. */
  readonly width: number
}

export interface PlacedLines extends Rectangle {
  readonly lines: readonly PlacedLine[]
}

export interface PlacedInitial extends Point {
  readonly radius: number
  /** Path of the state that begins here; empty for the machine. */
  readonly parent: string
  readonly target: string
  readonly points: readonly Point[]
}

/** One arrow for all transitions from one state to another; each has a line of its own in the label. */
export interface PlacedEdge {
  /** `<source>→<target>` */
  readonly id: string
  readonly source: string
  readonly target: string
  /** Their ids. */
  readonly transitions: readonly string[]
  /** Horizontal and vertical pieces, from the border of the source to that of the target, where the arrowhead is. */
  readonly points: readonly Point[]
  readonly label: PlacedLines
}
