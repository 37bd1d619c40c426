/** Writes a chart for Mermaid (https://mermaid.js.org/syntax/stateDiagram.html), which GitHub renders in Markdown. */
import {staysIn} from './box.ts'
import {type ChartMarks, noMarks} from './marks.ts'
import {type ChartModel, type ChartState, type ChartTransition, leadsInward} from './model.ts'

const styles = {
  active: 'fill:#d9f0e4,stroke:#12805c,color:#0a4f39,stroke-width:2px',
  inFlight: 'stroke-dasharray:4 3',
} as const

export function renderMermaid(model: ChartModel, marks: ChartMarks = noMarks): string {
  const leaves = [...model.states.values()].filter(({states, id}) => states.length === 0 && id !== '')
  const active = leaves.filter(({id}) => marks.active.has(id))
  const inFlight = leaves.filter(({tags}) => tags.includes('in-flight'))
  return [
    '---',
    `title: ${model.id}`,
    '---',
    'stateDiagram-v2',
    ...indent([
      ...toContents(model, model.root),
      ...model.transitions.filter((one) => !staysIn(one)).flatMap(toArrows),
      ...toNote(model),
      ...toClass('inFlight', inFlight),
      ...toClass('active', active),
    ]),
    '',
  ].join('\n')
}

function toContents(model: ChartModel, state: ChartState): readonly string[] {
  const initial = state.initial === undefined ? [] : [`[*] --> ${toId(state.initial)}`]
  const isLeftInward = model.transitions.some((one) => one.source === state.id && leadsInward(one))
  const anywhere = isLeftInward ? [`state "any" as ${toAny(state.id)}`] : []
  const states = state.states.map((child) => toState(model, child))
  if (state.type !== 'parallel') return [...states.flat(), ...anywhere, ...initial]
  return states.flatMap((lines, index) => (index === 0 ? lines : ['--', ...lines]))
}

function toState(model: ChartModel, state: ChartState): readonly string[] {
  const head = `state "${toText(state.name)}" as ${toId(state.id)}`
  if (state.states.length > 0) return [`${head} {`, ...indent(toContents(model, state)), '}']
  const description = state.description === undefined ? [] : [`${toId(state.id)} : ${toText(state.description)}`]
  const end = state.type === 'final' ? [`${toId(state.id)} --> [*]`] : []
  return [head, ...description, ...end]
}

function toArrows(transition: ChartTransition): readonly string[] {
  const {source, targets, label, shortGuard} = transition
  // Mermaid draws no edge from a compound state into itself: an extra state represents any active state inside.
  const from = leadsInward(transition) ? toAny(source) : toId(source)
  const text = toText(shortGuard === undefined ? label : `${label} [${shortGuard}]`)
  return targets.map((target) => `${from} --> ${toId(target)} : ${text}`)
}

/** Comments with the transitions that stay in their state; Mermaid cannot draw them inside a compound state. */
function toNote(model: ChartModel): readonly string[] {
  const staying = Map.groupBy(model.transitions.filter(staysIn), ({source}) => source)
  return [...staying].flatMap(([source, all]) => {
    const where = source === '' ? 'in any state' : `in ${source}`
    return [`%% ${where}: ${all.map(({label, shortGuard}) => (shortGuard === undefined ? label : `${label} [${shortGuard}]`)).join(', ')}`]
  })
}

function toClass(name: keyof typeof styles, states: readonly ChartState[]): readonly string[] {
  if (states.length === 0) return []
  return [`classDef ${name} ${styles[name]}`, `class ${states.map(({id}) => toId(id)).join(', ')} ${name}`]
}

function toAny(state: string): string {
  return `${toId(state)}_any`
}

/** Mermaid interprets dots and hyphens in ids as syntax. */
function toId(state: string): string {
  return state.replace(/[^A-Za-z0-9]/g, '_')
}

/** Escapes syntax: a semicolon ends a statement, a colon begins text, a hash begins an entity. */
function toText(text: string): string {
  const entities: Readonly<Record<string, string>> = {';': '#59;', ':': '#58;', '#': '#35;', '"': '#quot;'}
  return text.replace(/[;:#"]/g, (character) => entities[character] ?? '').replace(/\s+/g, ' ')
}

function indent(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`)
}
