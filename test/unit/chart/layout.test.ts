import {describe, expect, test} from 'vitest'
import type {AnyStateMachine} from 'xstate'
import {containerMachine} from '../../../machines/charts/container.machine.ts'
import {processMachine} from '../../../machines/charts/process.machine.ts'
import {supervisionMachine} from '../../../machines/charts/supervision.machine.ts'
import {supervisorMachine} from '../../../machines/charts/supervisor.machine.ts'
import type {ChartLayout, PlacedLine, Rectangle} from '../../../src/chart/chart-layout.ts'
import {layoutChart} from '../../../src/chart/layout.ts'
import {textStyles} from '../../../src/chart/measure.ts'
import {toChartModel} from '../../../src/chart/model.ts'

const machines: readonly AnyStateMachine[] = [containerMachine, processMachine, supervisorMachine, supervisionMachine]
const cases = machines.flatMap((machine) => (['down', 'right'] as const).map((direction) => ({id: machine.id, machine, direction})))

describe.each(cases)('the chart of $id, laid out $direction', {timeout: 30_000}, async ({machine, direction}) => {
  const layout = await layoutChart(toChartModel(machine), {direction})
  const boxes = new Map(layout.states.map((state) => [state.id, state]))
  const leaves = layout.states.filter(({id}) => layout.model.states.get(id)?.states.length === 0)

  test('has every state and every transition of the machine', () => {
    expect(new Set(layout.states.map(({id}) => id))).toEqual(new Set([...layout.model.states.keys()].filter((id) => id !== '')))
    const drawn = [...listLines(layout).map(({transition}) => transition)].filter((id) => id !== undefined)
    expect(new Set(drawn)).toEqual(new Set(layout.model.transitions.map(({id}) => id)))
  })

  test('places states inside the enclosing ones and apart from all others', () => {
    for (const state of layout.states) {
      const around = boxes.get(state.parent) ?? {x: 0, y: 0, width: layout.width, height: layout.height}
      expect(isWithin(state, around), `${state.id} within ${state.parent}`).toBe(true)
    }
    const siblings = [...Map.groupBy(layout.states, ({parent}) => parent).values()]
    for (const some of siblings) expectApart(some)
  })

  test('has no overlapping text and none outside the picture', () => {
    const lines = listLines(layout).map((line) => ({...toRectangle(line), id: line.text}))
    expectApart(lines)
    for (const line of lines) expect(isWithin(line, {x: 0, y: 0, width: layout.width, height: layout.height}), line.id).toBe(true)
  })

  test('has labels that overlap neither each other nor atomic states', () => {
    expectApart([...layout.edges.map(({id, label}) => ({id, ...label})), ...leaves])
  })

  test('draws edges from border to border, around other states and their text', () => {
    for (const {id, source, target, points} of layout.edges) {
      const [first, last] = [points.at(0), points.at(-1)]
      expect(first && isOnBorder(first, boxes.get(source)), `${id} begins at ${source}`).toBe(true)
      expect(last && isOnBorder(last, boxes.get(target)), `${id} ends at ${target}`).toBe(true)
      const pieces = points.slice(1).map((point, index) => toPiece(points[index] ?? point, point))
      const written = layout.states.flatMap((state) => state.lines.map((line) => ({...toRectangle(line), id: line.text})))
      for (const piece of pieces) {
        for (const box of [...leaves, ...written]) expect(overlap(piece, shrink(box)), `${id} through ${box.id}`).toBe(false)
      }
    }
  })

  test('is the same every time', async () => {
    expect(await layoutChart(toChartModel(machine), {direction})).toEqual(layout)
  })
})

function listLines(layout: ChartLayout): readonly PlacedLine[] {
  const {title, states, edges, anywhere} = layout
  return [...title, ...states.flatMap(({lines}) => lines), ...edges.flatMap(({label}) => label.lines), ...anywhere.lines]
}

function toRectangle({x, y, width, kind}: PlacedLine): Rectangle {
  const {size} = textStyles[kind]
  return {x, y: y - size * 0.8, width, height: size}
}

function toPiece(a: {readonly x: number; readonly y: number}, b: {readonly x: number; readonly y: number}): Rectangle {
  expect(a.x === b.x || a.y === b.y, 'a piece is horizontal or vertical').toBe(true)
  return {x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y)}
}

function expectApart(boxes: readonly (Rectangle & {readonly id: string})[]): void {
  for (const [index, a] of boxes.entries()) {
    for (const b of boxes.slice(index + 1)) expect(overlap(shrink(a), shrink(b)), `${a.id} over ${b.id}`).toBe(false)
  }
}

/** Coordinates are rounded to tenths. */
function shrink<R extends Rectangle>({x, y, width, height}: R): Rectangle {
  return {x: x + 0.2, y: y + 0.2, width: width - 0.4, height: height - 0.4}
}

function overlap(a: Rectangle, b: Rectangle): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

function isWithin(a: Rectangle, b: Rectangle): boolean {
  return a.x >= b.x - 0.2 && a.y >= b.y - 0.2 && a.x + a.width <= b.x + b.width + 0.2 && a.y + a.height <= b.y + b.height + 0.2
}

function isOnBorder({x, y}: {readonly x: number; readonly y: number}, box: Rectangle | undefined): boolean {
  if (!box) return false
  const isNear = (a: number, b: number) => Math.abs(a - b) < 0.3
  const isBeside = isNear(x, box.x) || isNear(x, box.x + box.width)
  const isAboveOrBelow = isNear(y, box.y) || isNear(y, box.y + box.height)
  return (
    (isBeside && y >= box.y - 0.3 && y <= box.y + box.height + 0.3) || (isAboveOrBelow && x >= box.x - 0.3 && x <= box.x + box.width + 0.3)
  )
}
