/** Converts the output of elkjs to a layout: places text in boxes and labels, and adds the title. */
import type {ElkExtendedEdge, ElkNode, ElkShape} from 'elkjs/lib/elk-api.js'
import {type BoxLine, boxPadding, type Direction, gapAbove, toBox, toHeight} from './box.ts'
import type {ChartLayout, PlacedEdge, PlacedInitial, PlacedLine, PlacedLines, PlacedState, Point, Rectangle} from './chart-layout.ts'
import {dotRadius, listInitials, toArrows, toDotId, toLabel, toNodeId} from './elk-graph.ts'
import {measureText, textStyles, wrapText} from './measure.ts'
import type {ChartModel, ChartState} from './model.ts'

const margin = 16
const gap = 18

export function toChartLayout(model: ChartModel, direction: Direction, graph: ElkNode): ChartLayout {
  const nodes = new Map(listNodes(graph).map((node) => [node.id, node]))
  const edges = new Map((graph.edges ?? []).map((edge) => [edge.id, edge]))
  const {lines: all} = toBox(model, model.root, direction)
  const width = Math.max(graph.width ?? 0, ...all.map(({text, kind}) => measureText(text, kind) + 2 * margin))
  const title = toTitle(model.root, width)
  const shift = {x: 0, y: toBottom(title)}
  const bottom = shift.y + (graph.height ?? 0)
  const anywhere = toAnywhere(
    all.filter(({transition}) => transition !== undefined),
    {x: margin, y: bottom, width: width - 2 * margin},
  )
  return {
    model,
    width,
    height: anywhere.lines.length > 0 ? anywhere.y + anywhere.height + margin : bottom,
    title,
    states: listStates(model.root).map(({state, parent, depth}) => toPlacedState(state, parent, depth)),
    initials: listInitials(model.root).map(toInitial),
    edges: toArrows(model).map((arrow) => {
      const edge = edges.get(arrow.id)
      const {lines} = toLabel(arrow)
      const [label] = edge?.labels ?? []
      const {id, source, target} = arrow
      const placed: PlacedEdge = {
        id,
        source,
        target,
        transitions: arrow.transitions.map((one) => one.id),
        points: toPoints(edge, shift),
        label: center(lines, toRectangle(label, shift)),
      }
      return placed
    }),
    anywhere,
  }

  function toPlacedState(state: ChartState, parent: ChartState, depth: number): PlacedState {
    const box = toRectangle(nodes.get(toNodeId(state.id)), shift)
    const at = {x: box.x + boxPadding.x, y: box.y + boxPadding.y}
    return {
      id: state.id,
      parent: parent.id,
      depth,
      isRegion: parent.type === 'parallel',
      ...box,
      lines: stack(toBox(model, state, direction).lines, at),
    }
  }

  function toInitial({parent, target}: {readonly parent: string; readonly target: string}): PlacedInitial {
    const dot = toRectangle(nodes.get(toDotId(parent)), shift)
    return {
      x: dot.x + dotRadius,
      y: dot.y + dotRadius,
      radius: dotRadius,
      parent,
      target,
      points: toPoints(edges.get(`initial ${parent}`), shift),
    }
  }
}

function toTitle({name, description}: ChartState, width: number): readonly PlacedLine[] {
  const note = wrapText(description ?? '', 'note', width - 2 * margin).map((text) => ({kind: 'note', text}) as const)
  return stack([{kind: 'title', text: name}, ...note], {x: margin, y: margin})
}

/** In columns, each read from top to bottom. */
function toAnywhere(lines: readonly BoxLine[], at: Point & {readonly width: number}): PlacedLines {
  if (lines.length === 0) return {...at, height: 0, lines: []}
  const columnWidth = Math.max(...lines.map(({text, kind}) => measureText(text, kind))) + gap
  const columns = Math.max(1, Math.floor((at.width + gap - 2 * boxPadding.x) / columnWidth))
  const rows = Math.ceil(lines.length / columns)
  const head = stack([{kind: 'name', text: 'in any state'}], {x: at.x + boxPadding.x, y: at.y + boxPadding.y})
  const top = at.y + boxPadding.y + textStyles.name.lineHeight
  const placed = Array.from({length: columns}, (_, column) =>
    stack(lines.slice(column * rows, (column + 1) * rows), {x: at.x + boxPadding.x + column * columnWidth, y: top}),
  ).flat()
  return {...at, height: toBottom(placed) - at.y + boxPadding.y, lines: [...head, ...placed]}
}

/** Places lines below each other, from the upper left corner. */
function stack(lines: readonly BoxLine[], {x, y}: Point): readonly PlacedLine[] {
  let top = y
  return lines.map((line, index) => {
    const {lineHeight} = textStyles[line.kind]
    top += gapAbove(line, lines[index - 1]) + lineHeight
    return {...line, x, y: round(top - lineHeight * baseline), width: measureText(line.text, line.kind)}
  })
}

/** The distance of the baseline from the bottom of a line, as a fraction of the line height. */
const baseline = 0.28

function center(lines: readonly BoxLine[], box: Rectangle): PlacedLines {
  const placed = stack(lines, {x: box.x, y: box.y + (box.height - toHeight(lines)) / 2})
  return {...box, lines: placed.map((line) => ({...line, x: round(box.x + (box.width - line.width) / 2)}))}
}

function toBottom(lines: readonly PlacedLine[]): number {
  return Math.max(0, ...lines.map(({y, kind}) => Math.ceil(y + textStyles[kind].lineHeight * baseline)))
}

function listNodes(node: ElkNode): readonly ElkNode[] {
  return [node, ...(node.children ?? []).flatMap(listNodes)]
}

function listStates(
  parent: ChartState,
  depth = 1,
): readonly {readonly state: ChartState; readonly parent: ChartState; readonly depth: number}[] {
  return parent.states.flatMap((state) => [{state, parent, depth}, ...listStates(state, depth + 1)])
}

function toRectangle(shape: ElkShape | undefined, shift: Point): Rectangle {
  const {x = 0, y = 0, width = 0, height = 0} = shape ?? {}
  return {x: round(x + shift.x), y: round(y + shift.y), width: round(width), height: round(height)}
}

function toPoints(edge: ElkExtendedEdge | undefined, shift: Point): readonly Point[] {
  const points = (edge?.sections ?? []).flatMap(({startPoint, bendPoints = [], endPoint}) => [startPoint, ...bendPoints, endPoint])
  return points.map(({x, y}) => ({x: round(x + shift.x), y: round(y + shift.y)}))
}

/** Rounds to tenths of a pixel, so that files in docs/charts/ are stable. */
function round(value: number): number {
  return Math.round(value * 10) / 10
}
