/** Checkpoints: the processes of a container are written to a directory, from which another container can be started. */
import * as z from 'zod'
import {absolutePath} from './fields.ts'

/** Resources that connect the container with the world outside. criu does not dump them unless it is told to (criu(8)). */
const externalResources = {
  /** Established TCP connections; both ends must have the same addresses when they are restored. */
  tcpEstablished: z.boolean().optional(),
  /** File locks. */
  fileLocks: z.boolean().optional(),
  /** UNIX sockets whose other end is outside the container. */
  externalUnixSockets: z.boolean().optional(),
}

export const checkpointSpecSchema = z.strictObject({
  /** A directory on the node that is empty or does not exist yet. */
  image: absolutePath,
  /** The container continues to run; by default the checkpoint ends it. */
  leaveRunning: z.boolean().default(false),
  ...externalResources,
})
export type CheckpointSpec = z.infer<typeof checkpointSpecSchema>

/** The checkpoint that a new container is started from. */
export const restoreSpecSchema = z.strictObject({
  /** The directory on this node that holds the checkpoint. */
  image: absolutePath,
  ...externalResources,
})
export type RestoreSpec = z.infer<typeof restoreSpecSchema>
