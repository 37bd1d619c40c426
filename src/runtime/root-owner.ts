/** The uid and gid on the host of root in a container with a user namespace. Files that are created for the container belong to them. */
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import * as z from 'zod'
import {mostSpecBytes, readTextFile} from './read-text-file.ts'

export interface Owner {
  readonly uid: number
  readonly gid: number
}

const mappingsSchema = z.array(z.object({containerID: z.int(), hostID: z.int(), size: z.int()})).nullish()
type Mappings = z.infer<typeof mappingsSchema>
const specSchema = z.object({
  linux: z.object({
    namespaces: z.array(z.object({type: z.string(), path: z.string().nullish()})).nullish(),
    uidMappings: mappingsSchema,
    gidMappings: mappingsSchema,
  }),
})

/** @returns undefined without a user namespace, and when the mapping cannot be read */
export function findRootOwner(bundle: string): Owner | undefined {
  try {
    const {linux} = specSchema.parse(JSON.parse(readTextFile(join(bundle, 'config.json'), mostSpecBytes)))
    const namespace = linux.namespaces?.find(({type}) => type === 'user')
    if (!namespace) return undefined
    const [, pid] = /^\/proc\/(\d+)\/ns\/user$/.exec(namespace.path ?? '') ?? []
    const uid = toHost(pid === undefined ? linux.uidMappings : readMap(`/proc/${pid}/uid_map`))
    const gid = toHost(pid === undefined ? linux.gidMappings : readMap(`/proc/${pid}/gid_map`))
    return uid === undefined || gid === undefined ? undefined : {uid, gid}
  } catch {
    // The runtime reports what is wrong with the bundle.
    return undefined
  }
}

/** The id on the host of id 0 in the namespace. */
function toHost(mappings: Mappings): number | undefined {
  return mappings?.find(({containerID, size}) => containerID === 0 && size > 0)?.hostID
}

/** Lines of user_namespaces(7): id inside, id outside, count. */
function readMap(file: string): Mappings {
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([containerID = -1, hostID = -1, size = 0]) => ({containerID, hostID, size}))
}
