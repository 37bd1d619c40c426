/**
 * The layout of a chart: boxes, edges and labels without overlaps.
 *
 * All coordinates are absolute pixels from the upper left corner; none is relative to an enclosing box.
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
  /** The name and the description of the machine, at the top. */
  readonly title: readonly PlacedLine[]
  /** Outer states first: when painted in this order, a nested state covers the enclosing one. The machine itself is not included. */
  readonly states: readonly PlacedState[]
  /** The dots from which arrows lead to the initial states of the machine and of compound states. */
  readonly initials: readonly PlacedInitial[]
  readonly edges: readonly PlacedEdge[]
  /** The transitions of the machine itself, which apply in any state: drawn at the bottom. Without lines when there are none. */
  readonly anywhere: PlacedLines
}

export interface PlacedState extends Rectangle {
  /** The path, such as `running.execution.active`: the key in `model.states`. */
  readonly id: string
  /** The path of the enclosing state; empty at the top level. */
  readonly parent: string
  /** 1 at the top level. */
  readonly depth: number
  /** A region of a parallel state, drawn with a dashed border. */
  readonly isRegion: boolean
  readonly lines: readonly PlacedLine[]
}

/** Text with its left end at `x` and its baseline at `y`. */
export interface PlacedLine extends Point, BoxLine {
  /** The measured width: an upper bound of the rendered width. */
  readonly width: number
}

export interface PlacedLines extends Rectangle {
  readonly lines: readonly PlacedLine[]
}

export interface PlacedInitial extends Point {
  readonly radius: number
  /** The path of the compound state whose initial state this is; empty for the machine. */
  readonly parent: string
  readonly target: string
  readonly points: readonly Point[]
}

/** One edge for all transitions from one state to another; the label has the lines of each of them. */
export interface PlacedEdge {
  /** `<source>→<target>` */
  readonly id: string
  readonly source: string
  readonly target: string
  /** The ids of the transitions. */
  readonly transitions: readonly string[]
  /** Horizontal and vertical segments from the border of the source to the border of the target, where the arrowhead is. */
  readonly points: readonly Point[]
  readonly label: PlacedLines
}
