/** Writes a chart for Graphviz (https://graphviz.org/doc/info/lang.html). Compound states are clusters. */
import {staysIn} from './box.ts'
import {type ChartMarks, noMarks} from './marks.ts'
import {type ChartModel, type ChartState, type ChartTransition, leadsInward} from './model.ts'

export function renderDot(model: ChartModel, marks: ChartMarks = noMarks): string {
  return [
    `digraph ${quote(model.id)} {`,
    ...indent([
      // `compound` lets edges begin and end at the border of a cluster.
      'compound=true; rankdir=TB; fontname="Helvetica"; nodesep=0.4; ranksep=0.6;',
      'node [shape=box, style="rounded,filled", fillcolor="#ffffff", color="#b9b2a3", fontname="Helvetica", fontsize=11];',
      'edge [color="#8b8f95", fontname="Helvetica", fontsize=9];',
      `label=${quote(model.root.description ?? model.id)}; labelloc=t;`,
      ...toContents(model.root),
      ...model.transitions.filter((one) => !staysIn(one)).flatMap(toArrows),
    ]),
    '}',
    '',
  ].join('\n')

  function toContents(state: ChartState): readonly string[] {
    const initial = state.initial
    const target = initial === undefined ? undefined : model.states.get(initial)
    const dot = `dot ${state.id}`
    const begin = target
      ? [
          `${quote(dot)} [shape=point, width=0.12, fillcolor="#8b8f95"];`,
          `${quote(dot)} -> ${quote(toAnchor(target))}${toList({lhead: toCluster(target)})};`,
        ]
      : []
    const anywhere = isLeftInward(model, state) ? [`${quote(toAny(state.id))} [label="any", shape=plaintext, style="", fontsize=9];`] : []
    return [...begin, ...anywhere, ...state.states.flatMap(toState)]
  }

  function toState(state: ChartState): readonly string[] {
    const isActive = marks.active.has(state.id)
    if (state.states.length === 0) {
      const attributes = {
        label: toLabel(model, state),
        peripheries: state.type === 'final' ? '2' : undefined,
        style: state.tags.includes('in-flight') ? 'rounded,filled,dashed' : undefined,
        ...(isActive && {fillcolor: '#d9f0e4', color: '#12805c', penwidth: '2'}),
      }
      return [`${quote(state.id)}${toList(attributes)};`]
    }
    return [
      `subgraph ${quote(`cluster ${state.id}`)} {`,
      ...indent([
        `label=${quote(state.name)}; labeljust=l; style=${quote('rounded')}; color=${quote(isActive ? '#12805c' : '#b9b2a3')}; penwidth=${isActive ? 2 : 1};`,
        ...toContents(state),
      ]),
      '}',
    ]
  }

  function toArrows(transition: ChartTransition): readonly string[] {
    const {id, source, targets, label, shortGuard} = transition
    const from = model.states.get(source)
    const isInward = leadsInward(transition)
    return targets.flatMap((target) => {
      const to = model.states.get(target)
      if (!from || !to) return []
      const attributes = {
        // Graphviz does not know the width of an ellipsis character.
        label: shortGuard === undefined ? label : `${label}\n[${shortGuard.replaceAll('…', '...')}]`,
        // An edge cannot begin at the border of a cluster that contains its target.
        ltail: isInward ? undefined : toCluster(from),
        lhead: toCluster(to),
        ...(marks.last.has(id) ? {color: '#b4530b', fontcolor: '#b4530b', penwidth: '2.5'} : {}),
        ...(marks.possible.has(id) && !marks.last.has(id) ? {color: '#12805c', fontcolor: '#12805c'} : {}),
      }
      return [`${quote(isInward ? toAny(source) : toAnchor(from))} -> ${quote(toAnchor(to))}${toList(attributes)};`]
    })
  }
}

/** Graphviz draws edges between nodes only: the first node inside a cluster is the end point for the cluster. */
function toAnchor(state: ChartState): string {
  const [first] = state.states
  return first ? toAnchor(first) : state.id
}

/** The node that represents any active state inside a compound state. */
function toAny(state: string): string {
  return `any ${state}`
}

function isLeftInward({transitions}: ChartModel, {id}: ChartState): boolean {
  return transitions.some((one) => one.source === id && leadsInward(one))
}

function toCluster(state: ChartState): string | undefined {
  return state.states.length > 0 ? `cluster ${state.id}` : undefined
}

/** The name, and the transitions that stay in the state. */
function toLabel({transitions}: ChartModel, {id, name, entry}: ChartState): string {
  const staying = transitions.filter((one) => one.source === id && staysIn(one)).map(({label}) => label)
  return [name, ...entry.map((effect) => `entry: ${effect}`), ...staying].join('\n')
}

function toList(attributes: Readonly<Record<string, string | undefined>>): string {
  const known = Object.entries(attributes).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quote(value)}`]))
  return known.length > 0 ? ` [${known.join(', ')}]` : ''
}

function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`
}

function indent(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`)
}
