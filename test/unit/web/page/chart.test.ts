import {describe, expect, it} from 'vitest'
import {layoutChart} from '../../../../src/chart/layout.ts'
import {noMarks} from '../../../../src/chart/marks.ts'
import {frameMoment, frameWhole, toView, zoom} from '../../../../src/web/page/chart/camera.ts'
import {toDrawnMarks} from '../../../../src/web/page/chart/drawn-marks.ts'
import {chartMachines, chartNames} from '../../../../src/web/page/chart/machines.ts'
import {toPageModel, toCommand} from '../../../../src/web/page/chart/page-model.ts'

const panel = {width: 700, height: 700}

describe.each(chartNames)('the chart of a %s in the page', (name) => {
  const model = toPageModel(chartMachines[name])

  it('has all states of the machine, and every transition between them', () => {
    expect([...model.drawn.states.keys()]).toEqual([...model.whole.states.keys()])
    const ways = (transitions: typeof model.whole.transitions) =>
      new Set(
        transitions.flatMap(({source, targets, event}) => targets.filter((to) => to !== source).map((to) => `${source} ${event} ${to}`)),
      )
    expect(ways(model.drawn.transitions)).toEqual(ways(model.whole.transitions))
  })

  it('maps transitions with the same event and target to one drawn transition', () => {
    const drawn = new Set(model.drawn.transitions.map(({id}) => id))
    const leaving = model.whole.transitions.filter(({source, targets}) => targets.some((to) => to !== source))
    expect([...model.drawnAs.keys()].toSorted()).toEqual(leaving.map(({id}) => id).toSorted())
    for (const id of model.drawnAs.values()) expect(drawn).toContain(id)
    const marks = toDrawnMarks(model, {...noMarks, last: new Set(leaving.map(({id}) => id))})
    expect(marks.last).toEqual(drawn)
  })

  it('fits into a panel, whole or at a moment, and has the same view after zooming in and out', async () => {
    const layout = await layoutChart(model.drawn)
    const view = toView(frameWhole(layout, panel), panel)
    for (const {x, y, width, height} of layout.states) {
      expect(x).toBeGreaterThanOrEqual(view.x)
      expect(y).toBeGreaterThanOrEqual(view.y)
      expect(x + width).toBeLessThanOrEqual(view.x + view.width)
      expect(y + height).toBeLessThanOrEqual(view.y + view.height)
    }
    const camera = frameMoment(layout, {...noMarks, active: new Set([layout.states[0]?.id ?? ''])}, panel)
    const at = {x: camera.x + 50, y: camera.y - 20}
    const back = zoom(zoom(camera, 1.25, at), 0.8, at)
    expect(back.x).toBeCloseTo(camera.x)
    expect(back.scale).toBeCloseTo(camera.scale)
  }, 30_000)
})

describe('the command of an event', () => {
  it.each([
    ['container.start-requested', 'start'],
    ['exec.delete-requested', 'delete'],
    ['container.started', undefined],
  ])('of %s is %s', (event, command) => {
    expect(toCommand(event)).toBe(command)
  })
})
