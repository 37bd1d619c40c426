/** SVG paths of edges: horizontal and vertical segments with rounded corners, and an arrowhead. */
import type {Point} from './chart-layout.ts'

const radius = 7
const headLength = 8
const headWidth = 7

export function toRoundedPath(points: readonly Point[]): string {
  const [first, ...rest] = points
  if (!first) return ''
  const pieces = rest.map((corner, index) => {
    const before = points[index] ?? first
    const after = rest[index + 1]
    if (!after) return `L${show(corner)}`
    const reach = Math.min(radius, distance(before, corner) / 2, distance(corner, after) / 2)
    return `L${show(towards(corner, before, reach))}Q${show(corner)} ${show(towards(corner, after, reach))}`
  })
  return `M${show(first)}${pieces.join('')}`
}

/** A triangle with its tip at the end of the edge. */
export function toArrowHead(points: readonly Point[]): string {
  const [before, tip] = points.slice(-2)
  if (!before || !tip) return ''
  const base = towards(tip, before, headLength)
  const length = distance(before, tip) || 1
  const across = {x: ((before.y - tip.y) / length) * (headWidth / 2), y: ((tip.x - before.x) / length) * (headWidth / 2)}
  const left = {x: base.x + across.x, y: base.y + across.y}
  const right = {x: base.x - across.x, y: base.y - across.y}
  return `M${show(tip)}L${show(left)}L${show(right)}Z`
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y)
}

/** The point at distance `length` from the first point, in the direction of the second. */
function towards(from: Point, to: Point, length: number): Point {
  const share = length / (distance(from, to) || 1)
  return {x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share}
}

function show({x, y}: Point): string {
  return `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`
}
