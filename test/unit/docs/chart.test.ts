import {describe, expect, it} from 'vitest'
import type {AnyStateNode} from 'xstate'
import {containerMachine} from '../../../machines/charts/container.machine.ts'
import {topLevelStates} from '../../../machines/charts/states.ts'
import {readFences, readProjectFile, readRows, readSection} from './markdown.ts'

const section = readSection(readProjectFile('docs/events.md'), 2, 'States')
const [diagram = ''] = readFences(section, 'mermaid')
const lines = diagram.split('\n').map((line) => line.trim())
const {root} = containerMachine

/** `from --> to: event`, as in the picture. An event that changes no state leads back to its state; a forbidden one is left out. */
function toTransitions(node: AnyStateNode): readonly string[] {
  const own = [...node.transitions].flatMap(([event, transitions]) =>
    transitions.filter(isTaken).flatMap(({target}) => (target ?? [node]).map(({key}) => `${node.key} --> ${key}: ${event}`)),
  )
  return [...own, ...Object.values(node.states).flatMap(toTransitions)]
}

function isTaken({target, actions}: {readonly target: unknown; readonly actions: readonly unknown[]}): boolean {
  return target !== undefined || actions.length > 0
}

/** `[*] --> state` for the initial state of every region. Names of regions are not drawn. */
function toInitialStates(node: AnyStateNode): readonly string[] {
  const own = node.type === 'parallel' ? [] : node.initial.target.map(({key}) => `[*] --> ${key}`)
  return [...own, ...Object.values(node.states).filter(isComposite).flatMap(toInitialStates)]
}

function isComposite(node: AnyStateNode): boolean {
  return Object.keys(node.states).length > 0
}

describe('the chart of states in docs/events.md', () => {
  it('has every transition of the machine, and no other', () => {
    const drawn = lines.filter((line) => line.includes(': '))
    const expected = new Set(Object.values(root.states).flatMap(toTransitions))
    expect([...drawn].sort()).toEqual([...expected].sort())
  })

  it('begins every region where the machine does', () => {
    expect(lines.filter((line) => line.startsWith('[*]')).sort()).toEqual([...toInitialStates(root)].sort())
  })

  it('ends in the final states of the machine', () => {
    const final = Object.values(root.states).filter(({type}) => type === 'final')
    expect(lines.filter((line) => line.endsWith('[*]'))).toEqual(final.map(({key}) => `${key} --> [*]`))
  })

  it('nests what is nested in the machine, with as many regions', () => {
    const composite = Object.values(root.states).filter(isComposite)
    expect(lines.filter((line) => line.startsWith('state ')).map((line) => line.slice('state '.length))).toEqual(
      composite.map(({key}) => `${key} {`),
    )
    expect(lines.filter((line) => line === '--')).toHaveLength(
      composite.filter(({type}) => type === 'parallel').reduce((sum, {states}) => sum + Object.keys(states).length - 1, 0),
    )
  })

  it('lists the events that are accepted in every state', () => {
    const listed = [...section.matchAll(/^- `(.+)`$/gm)].map(([, event]) => event)
    expect(listed).toEqual([...root.transitions.keys()])
    expect([...root.transitions.values()].flat().every(({target}) => target === undefined)).toBe(true)
  })

  it('describes every state as the machine does', () => {
    const expected = Object.values(root.states).map(({key, tags, description}) => ({
      state: `\`${key}\``,
      'in flight': tags.includes('in-flight') ? 'yes' : 'no',
      meaning: description,
    }))
    expect(readRows(section, 'state', 'in flight', 'meaning')).toEqual(expected)
    expect(Object.keys(root.states)).toEqual(topLevelStates)
  })
})
