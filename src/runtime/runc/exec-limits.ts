import {readFileSync} from 'node:fs'
import * as z from 'zod'
import {writeOpenFiles} from '../../linux/resource-limits.ts'

const processSchema = z.object({rlimits: z.array(z.object({type: z.string(), soft: z.number(), hard: z.number()})).optional()})

/**
 * Gives an added process the limit of open files that it was to have. runc before 1.1.13 sets it while its own runtime, that of Go, may
 * still raise it to the hard one. That comes a moment late, and for processes of other users takes CAP_SYS_RESOURCE: better than never.
 */
export function settleOpenFiles(pid: number, processFile: string): void {
  const {data} = processSchema.safeParse(JSON.parse(readFileSync(processFile, 'utf8')))
  const limit = data?.rlimits?.find(({type}) => type === 'RLIMIT_NOFILE')
  if (limit && Number.isSafeInteger(limit.hard)) writeOpenFiles(pid, limit)
}
