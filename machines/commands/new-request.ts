/**
 * Further rules for the request of a new container. They do not apply to requests in existing ledgers, some of which are older than
 * these rules.
 */
import {type CreateRequest, createRequestSchema, isBundleRequest} from '../schemas/create-request.ts'

interface Contradiction {
  readonly path: readonly (string | number)[]
  readonly message: string
}

export const newRequestSchema = createRequestSchema.superRefine((request, context) => {
  for (const {path, message} of findContradictions(request)) context.addIssue({code: 'custom', path: [...path], message})
})

function findContradictions(request: CreateRequest): readonly Contradiction[] {
  if (isBundleRequest(request)) return []
  const {mounts = [], memoryBytes, memorySwapBytes} = request
  return [
    ...mounts.flatMap(({target}, index) => (isRoot(target) ? [{path: ['mounts', index, 'target'], message: toRootMessage(target)}] : [])),
    ...(memorySwapBytes && memoryBytes === undefined
      ? [{path: ['memorySwapBytes'], message: 'expected memoryBytes as well, since this is memory and swap together'}]
      : []),
  ]
}

function toRootMessage(target: string): string {
  return `expected a path below /, which is the root file system itself, got ${JSON.stringify(target)}`
}

/** `//`, `/.`, `/a/..` */
function isRoot(path: string): boolean {
  let depth = 0
  for (const part of path.split('/')) {
    if (part === '..') depth = Math.max(0, depth - 1)
    else if (part !== '' && part !== '.') depth += 1
  }
  return depth === 0
}
