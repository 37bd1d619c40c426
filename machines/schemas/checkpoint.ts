/** Checkpoints: the processes of a container written to a directory, to be started from there again. */
import * as z from 'zod'
import {absolutePath} from './paths.ts'

/** What reaches out of the container and is kept nevertheless; criu refuses to dump it unless it is told (criu(8)). */
const reachingOut = {
  /** Established TCP connections; both ends must be where they were. */
  tcpEstablished: z.boolean().optional(),
  /** Locks on files. */
  fileLocks: z.boolean().optional(),
  /** UNIX sockets whose other end is outside. */
  externalUnixSockets: z.boolean().optional(),
}

export const checkpointSpecSchema = z.strictObject({
  /** A directory of the node, empty or yet to be made. */
  image: absolutePath,
  /** The container goes on; without, it ends with the checkpoint. */
  leaveRunning: z.boolean().default(false),
  ...reachingOut,
})
export type CheckpointSpec = z.infer<typeof checkpointSpecSchema>

/** Where a container begins that is made from a checkpoint. */
export const restoreSpecSchema = z.strictObject({
  /** The directory that a checkpoint has written, on this node. */
  image: absolutePath,
  ...reachingOut,
})
export type RestoreSpec = z.infer<typeof restoreSpecSchema>
