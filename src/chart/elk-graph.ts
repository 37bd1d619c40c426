/** Converts a chart to the input of elkjs: boxes and edge labels with their sizes. */
import type {ElkExtendedEdge, ElkNode} from 'elkjs/lib/elk-api.js'
import {type BoxLine, type Direction, staysIn, toBox, toHeight, toTransitionLines} from './box.ts'
import {measureText} from './measure.ts'
import type {ChartModel, ChartState, ChartTransition} from './model.ts'

/** All transitions from one state to another, drawn as one arrow. */
export interface Arrow {
  readonly id: string
  readonly source: string
  readonly target: string
  readonly transitions: readonly ChartTransition[]
}

export const dotRadius = 5
const labelPadding = {x: 5, y: 2} as const

export function toElkGraph(model: ChartModel, direction: Direction): ElkNode {
  return {
    id: toNodeId(''),
    layoutOptions: {
      'elk.algorithm': 'layered',
      'elk.direction': direction.toUpperCase(),
      'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
      'elk.edgeRouting': 'ORTHOGONAL',
      'elk.json.shapeCoords': 'ROOT',
      'elk.json.edgeCoords': 'ROOT',
      'elk.padding': toPadding({top: 4, left: 16, right: 16, bottom: 16}),
      ...order,
      // Only at the top level: with nested graphs elkjs throws.
      'elk.layered.compaction.postCompaction.strategy': 'EDGE_LENGTH',
      ...spacing,
    },
    children: toChildren(model, model.root, direction),
    edges: [...toArrows(model).map(toElkEdge), ...listInitials(model.root).map(toInitialEdge)],
  }
}

/** elkjs does not accept an empty id, which the machine has. */
export function toNodeId(state: string): string {
  return `state ${state}`
}

export function toDotId(parent: string): string {
  return `dot ${parent}`
}

export function toArrows({transitions}: ChartModel): readonly Arrow[] {
  const leaving = transitions.filter((one) => !staysIn(one))
  const pairs = leaving.flatMap((transition) => transition.targets.map((target) => ({transition, target})))
  const groups = Map.groupBy(pairs, ({transition, target}) => `${transition.source}→${target}`)
  return [...groups].flatMap(([id, all]) => {
    const [first] = all
    if (!first) return []
    return [{id, source: first.transition.source, target: first.target, transitions: all.map(({transition}) => transition)}]
  })
}

export function toLabel({transitions}: Arrow): {readonly lines: readonly BoxLine[]; readonly width: number; readonly height: number} {
  const lines = transitions.flatMap(toTransitionLines)
  const width = Math.max(0, ...lines.map(({text, kind}) => measureText(text, kind)))
  return {lines, width: width + 2 * labelPadding.x, height: toHeight(lines) + 2 * labelPadding.y}
}

/** The initial state of the machine and of every compound state. */
export function listInitials(state: ChartState): readonly {readonly parent: string; readonly target: string}[] {
  const own = state.initial === undefined ? [] : [{parent: state.id, target: state.initial}]
  return [...own, ...state.states.flatMap(listInitials)]
}

const spacing = {
  'elk.spacing.nodeNode': '28',
  'elk.spacing.edgeNode': '16',
  'elk.spacing.edgeEdge': '12',
  'elk.spacing.edgeLabel': '4',
  'elk.spacing.labelLabel': '6',
  'elk.spacing.labelNode': '8',
  'elk.spacing.componentComponent': '20',
  'elk.layered.spacing.nodeNodeBetweenLayers': '30',
  'elk.layered.spacing.edgeNodeBetweenLayers': '16',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '12',
} as const

/**
 * States closer to the initial state are placed higher. Of the cycle breaking strategies of elkjs, this one results in the shortest edges
 * for these charts, half as long as with the others.
 */
const order = {
  'elk.layered.cycleBreaking.strategy': 'BFS_NODE_ORDER',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
} as const

function toPadding(own: {readonly top?: number; readonly left?: number; readonly bottom?: number; readonly right?: number}): string {
  const {top, left, bottom, right} = {top: 12, left: 12, bottom: 12, right: 12, ...own}
  return `[top=${top},left=${left},bottom=${bottom},right=${right}]`
}

function toChildren(model: ChartModel, state: ChartState, direction: Direction): ElkNode[] {
  const dot: ElkNode[] = state.initial === undefined ? [] : [{id: toDotId(state.id), width: 2 * dotRadius, height: 2 * dotRadius}]
  return [...dot, ...state.states.map((child) => toElkNode(model, child, direction))]
}

function toElkNode(model: ChartModel, state: ChartState, direction: Direction): ElkNode {
  const {place, width, height} = toBox(model, state, direction)
  if (state.states.length === 0) return {id: toNodeId(state.id), width, height}
  return {
    id: toNodeId(state.id),
    layoutOptions: {
      'elk.padding': place === 'top' ? toPadding({top: height + 4}) : toPadding({left: width + 4}),
      'elk.nodeSize.constraints': 'MINIMUM_SIZE',
      'elk.nodeSize.minimum': `(${width},${height})`,
      ...order,
      ...spacing,
    },
    children: toChildren(model, state, direction),
  }
}

function toElkEdge(arrow: Arrow): ElkExtendedEdge {
  const {width, height} = toLabel(arrow)
  return {
    id: arrow.id,
    sources: [toNodeId(arrow.source)],
    targets: [toNodeId(arrow.target)],
    labels: [{id: `label ${arrow.id}`, text: arrow.id, width, height, layoutOptions: {'elk.edgeLabels.placement': 'CENTER'}}],
  }
}

function toInitialEdge({parent, target}: {readonly parent: string; readonly target: string}): ElkExtendedEdge {
  return {id: `initial ${parent}`, sources: [toDotId(parent)], targets: [toNodeId(target)]}
}
