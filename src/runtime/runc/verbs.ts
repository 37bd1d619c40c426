/** What an OCI runtime is asked to do, as its command line names it. */

export type RuncVerb = 'create' | 'start' | 'kill' | 'exec' | 'pause' | 'resume' | 'checkpoint' | 'restore' | 'update' | 'delete' | 'state'
