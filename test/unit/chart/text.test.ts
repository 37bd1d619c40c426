import {stripVTControlCharacters} from 'node:util'
import {describe, expect, it} from 'vitest'
import {chartedMachines} from '../../../src/chart/machines.ts'
import {toChartModel} from '../../../src/chart/model.ts'
import {foldMachine, toMarks} from '../../../src/chart/moment.ts'
import {renderText, signs} from '../../../src/chart/text.ts'
import {started} from './journals.ts'

const machines = Object.values(chartedMachines)
const container = toChartModel(chartedMachines.container)
const marks = toMarks(chartedMachines.container, foldMachine(chartedMachines.container, started))
const linesOf = (text: string) => text.trimEnd().split('\n')

describe('a chart as text', () => {
  it.each(machines.flatMap((machine) => [60, 80, 100, 120].map((width) => ({machine, id: machine.id, width}))))(
    'of $id fits into $width columns',
    ({machine, width}) => {
      for (const line of linesOf(renderText(toChartModel(machine), {width}))) expect([...line].length, line).toBeLessThanOrEqual(width)
    },
  )

  it.each(machines)('of $id has a frame, and every state once in a box', (machine) => {
    const model = toChartModel(machine)
    const lines = linesOf(renderText(model, {width: 100}))
    expect(new Set(lines.map((line) => [...line].length)).size).toBe(1)
    const titles = lines.join('\n').match(/[╭┏╔┌][─━═╌] [^─━═╌\n]+ [─━═╌]*[╮┓╗┐]/g) ?? []
    expect(titles).toHaveLength(model.states.size)
  })

  it('marks highlights with signs', () => {
    const text = renderText(container, {marks, width: 120})
    expect(text).toContain(`┏━ ${signs.active} running ━`)
    expect(text).toContain(`${signs.last} started [hasInit] → running`)
    expect(text).toContain(`${signs.possible} pause-requested → pausing`)
    expect(text).not.toContain(`${signs.possible} resumed`)
  })

  it('has colours on request', () => {
    const coloured = renderText(container, {marks, width: 100, colour: true})
    expect(coloured).toContain('\x1b[1;32m')
    expect(stripVTControlCharacters(coloured).replace(/ +$/gm, '')).toBe(renderText(container, {marks, width: 100}))
  })

  it('is a tree when the terminal is narrow', () => {
    const narrow = renderText(container, {marks, width: 40})
    expect(narrow).not.toMatch(/[╭┏]/)
    expect(linesOf(narrow).every((line) => [...line].length <= 40)).toBe(true)
    expect(renderText(container, {marks, width: 100, tree: true})).toContain(`├─ ${signs.active} running\n`)
  })
})
