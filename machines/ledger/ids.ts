/** The ids of nodes, namespaces, containers and added processes, and the address of a container. */
import * as z from 'zod'

/** Letters, digits, `_` and `-`: safe as a NATS subject token, a directory, a runc id and a cgroup name. */
export const idPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/
export const idRule = '1 to 63 of A-Z a-z 0-9 _ -, the first a letter or digit'

export const idSchema = z.string().regex(idPattern, {error: (issue) => `expected ${idRule}, got ${JSON.stringify(issue.input)}`})

/** Unique among the containers that exist at one time. */
export interface ContainerAddress {
  readonly node: string
  readonly namespace: string
  readonly id: string
}

export function isId(value: unknown): value is string {
  return typeof value === 'string' && idPattern.test(value)
}

/** `/tally/<node>/<ns>/<id>`, the CloudEvents `source` of a container. */
export function toSource({node, namespace, id}: ContainerAddress): string {
  return `/tally/${node}/${namespace}/${id}`
}

/** The inverse of {@link toSource}; undefined for anything else. */
export function parseSource(source: string): ContainerAddress | undefined {
  const [empty, prefix, node, namespace, id, ...rest] = source.split('/')
  if (empty !== '' || prefix !== 'tally' || rest.length > 0) return undefined
  return isId(node) && isId(namespace) && isId(id) ? {node, namespace, id} : undefined
}
