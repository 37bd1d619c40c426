import {instance} from '@viz-js/viz'
import {JSDOM} from 'jsdom'
import {beforeAll, describe, expect, it} from 'vitest'
import {renderDot} from '../../../src/chart/dot.ts'
import {toChartJson} from '../../../src/chart/json.ts'
import {chartedMachines} from '../../../src/chart/machines.ts'
import {renderMermaid} from '../../../src/chart/mermaid.ts'
import {toChartModel} from '../../../src/chart/model.ts'
import {foldMachine, toMarks} from '../../../src/chart/moment.ts'
import {renderScxml} from '../../../src/chart/scxml.ts'
import {started} from './journals.ts'
import {checkScxml} from './scxml-rules.ts'

const machines = Object.values(chartedMachines)
const cases = machines.flatMap((machine) => {
  const [model, marks] = [toChartModel(machine), toMarks(machine, foldMachine(machine, started))]
  return [
    {name: machine.id, model, marks: undefined},
    {name: `${machine.id} at a moment`, model, marks},
  ]
})

/** Mermaid and Graphviz take long to load. */
const patienceMs = 30_000

describe('mermaid', {timeout: patienceMs}, () => {
  let mermaid: typeof import('mermaid').default

  beforeAll(async () => {
    // Mermaid needs a document when it is loaded.
    const {window} = new JSDOM('')
    Object.assign(globalThis, {window, document: window.document})
    ;({default: mermaid} = await import('mermaid'))
    for (const name of ['window', 'document']) Reflect.deleteProperty(globalThis, name)
  }, patienceMs)

  it.each(cases)('parses $name', async ({model, marks}) => {
    expect(await mermaid.parse(renderMermaid(model, marks))).toMatchObject({diagramType: 'stateDiagram'})
  })

  it('rejects what is not a diagram', async () => {
    await expect(mermaid.parse('stateDiagram-v2\n  a --> : b\n')).rejects.toThrow('Parse error')
  })
})

describe('scxml', () => {
  it.each(cases)('follows the recommendation: $name', ({model, marks}) => {
    expect(checkScxml(renderScxml(model, marks))).toEqual([])
  })

  it('has all states and transitions', () => {
    for (const {model} of cases) {
      const text = renderScxml(model)
      expect(text.match(/<(state|parallel|final) /g)).toHaveLength(model.states.size + 1)
      const refused = [...model.states.values()].reduce((sum, {refuses}) => sum + refuses.length, 0)
      expect(text.match(/<transition /g)).toHaveLength(model.transitions.length + refused + 1)
    }
  })
})

describe('dot', {timeout: patienceMs}, async () => {
  const graphviz = await instance()

  it.each(cases)('is rendered by Graphviz: $name', ({model, marks}) => {
    const {status, errors, output} = graphviz.render(renderDot(model, marks), {format: 'svg'})
    expect({status, errors}).toEqual({status: 'success', errors: []})
    expect(output).toContain('<svg')
  })
})

describe('json', () => {
  it.each(cases)('has the model and the highlights: $name', ({model, marks}) => {
    const json: unknown = JSON.parse(JSON.stringify(toChartJson(model, marks)))
    expect(json).toMatchObject({id: model.id, transitions: {length: model.transitions.length}})
    expect(json).toEqual(
      marks
        ? expect.objectContaining({marks: expect.objectContaining({active: [...marks.active]})})
        : expect.not.objectContaining({marks: {}}),
    )
  })
})
