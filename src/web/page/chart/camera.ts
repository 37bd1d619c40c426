/** Which part of a chart is visible, and at which scale. Pure. */
import type {ChartMarks} from '../../../chart/marks.ts'
import type {PlacedEdge, PlacedInitial, PlacedState, Rectangle} from '../../../chart/chart-layout.ts'
import type {BuiltLayout} from './built-layout.ts'

/** The point of the chart that is in the centre of the panel, and the number of panel pixels per chart pixel. */
export interface Camera {
  readonly x: number
  readonly y: number
  readonly scale: number
}

export interface Size {
  readonly width: number
  readonly height: number
}

interface Margin {
  readonly x: number
  readonly top: number
  readonly bottom: number
}

/** The bottom margin leaves room for the controls. */
const margin: Margin = {x: 22, top: 22, bottom: 58}
const narrowMargin: Margin = {x: 6, top: 8, bottom: 8}
export const largestScale = 1.6
const closest = 1.12
/** The smallest scale at which names can be read. */
const legible = 0.5

function frame(box: Rectangle, panel: Size, {x, top, bottom}: Margin = margin): Camera {
  const [width, height] = [panel.width - 2 * x, panel.height - top - bottom]
  const scale = Math.max(0.05, Math.min(width / box.width, height / box.height, closest))
  return {x: box.x + box.width / 2, y: box.y + box.height / 2 + (bottom - top) / 2 / scale, scale}
}

/** The whole chart, without its title. @param isBare the panel has no controls */
export function frameWhole(layout: BuiltLayout, panel: Size, isBare = false): Camera {
  return frame(union([...layout.states, ...layout.initials.map(toDot)]) ?? {x: 0, y: 0, ...layout}, panel, isBare ? narrowMargin : margin)
}

/**
 * The active state, the last transition, and the possible next states. If the active state does not fit at a legible scale: its region
 * in which the last transition was, or else its largest active region.
 */
export function frameMoment(layout: BuiltLayout, {active, last}: ChartMarks, panel: Size): Camera {
  const lit = layout.states.filter(({id, depth}) => depth === 1 && active.has(id))
  const taken = layout.edges.filter(({transitions}) => transitions.some((id) => last.has(id)))
  const near = lit.flatMap((state) => neighbours(layout, state))
  const box = union([...lit, ...taken.map(toBox), ...near])
  if (!box) return frameWhole(layout, panel)
  const camera = frame(box, panel)
  if (camera.scale >= legible) return camera
  const regions = layout.states.filter(({id, isRegion}) => isRegion && active.has(id)).toSorted((a, b) => toArea(b) - toArea(a))
  const region = regions.find(({id}) => taken.some(({source}) => source.startsWith(`${id}.`))) ?? regions[0]
  return region ? frame(region, panel) : camera
}

/** Zooms around a point, which stays in place. */
export function zoom(camera: Camera, factor: number, at: {readonly x: number; readonly y: number} = camera): Camera {
  const scale = Math.min(largestScale, Math.max(0.15, camera.scale * factor))
  const kept = camera.scale / scale
  return {x: at.x + (camera.x - at.x) * kept, y: at.y + (camera.y - at.y) * kept, scale}
}

/** The visible rectangle, in chart pixels. */
export function toView({x, y, scale}: Camera, {width, height}: Size): Rectangle {
  return {x: x - width / scale / 2, y: y - height / scale / 2, width: width / scale, height: height / scale}
}

/** The part of a rectangle that lies inside the chart. */
export function clip({x, y, width, height}: Rectangle, to: Size): Rectangle {
  const [left, top] = [Math.max(0, x), Math.max(0, y)]
  return {
    x: left,
    y: top,
    width: Math.max(0, Math.min(x + width, to.width) - left),
    height: Math.max(0, Math.min(y + height, to.height) - top),
  }
}

/** The possible next states, without large ones: those would force a small scale. */
function neighbours(layout: BuiltLayout, state: PlacedState): readonly Rectangle[] {
  const next = layout.edges.filter(({source}) => source === state.id || source.startsWith(`${state.id}.`)).map(({target}) => target)
  return layout.states.filter(({id, depth, height}) => depth === 1 && next.includes(id) && height < 120)
}

function toBox({points, label}: PlacedEdge): Rectangle {
  const [xs, ys] = [points.map(({x}) => x), points.map(({y}) => y)]
  const [x, y] = [Math.min(...xs), Math.min(...ys)]
  return union([{x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y}, label]) ?? label
}

function toArea({width, height}: Rectangle): number {
  return width * height
}

function toDot({x, y, radius}: PlacedInitial): Rectangle {
  return {x: x - radius, y: y - radius, width: 2 * radius, height: 2 * radius}
}

function union(boxes: readonly Rectangle[]): Rectangle | undefined {
  if (boxes.length === 0) return undefined
  const x = Math.min(...boxes.map((box) => box.x))
  const y = Math.min(...boxes.map((box) => box.y))
  const right = Math.max(...boxes.map((box) => box.x + box.width))
  const bottom = Math.max(...boxes.map((box) => box.y + box.height))
  return {x, y, width: right - x, height: bottom - y}
}
