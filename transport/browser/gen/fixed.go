package main

// What has no counterpart in package protocol, because it is the grammar of the union of all messages.

const envelope = `/** What carries no position: not an event. */
interface Unnumbered {
  seq?: undefined
  prev?: undefined
  by?: undefined
  mutationId?: undefined
}

/** What carries a position: an event, or the receipt in its place. */
interface Numbered {
  planId: string
  timestamp: Timestamp
  /** Grows within an epoch, with gaps. */
  seq: number
  /** The seq of the event before this one in the plan: a client that has another one last has missed something. */
  prev: number
  /** The user who made the change, if known. */
  by?: string
  /** What the client that made the change called it. */
  mutationId?: string
}

`

// An enum is the one kind of string that TypeScript does not take for every literal. With a plain string here, comparing the type with that
// of a task event would leave the host's events in, and data would be unknown.
const hostEvents = `export declare enum HostType {
  Other = 'any type that is not of the protocol',
}

/**
 * An event of the host's own. Its type may be any string that the protocol does not use, and its data any JSON. To compare the type with your own, say
 * which there are:
 *
 *     type Commented = HostEvent<'comment-added', { text: string }>
 *     type MyEvent = PlanEvent<Task, Progress, Commented>
 */
export interface HostEvent<Type extends string = HostType, Data = unknown> {
  type: Type
  data: Data
}

`

const placed = `/** An event of a plan. Its type tells what is in data. */
export type PlanEvent<Task = unknown, Progress = unknown, Host extends HostEvent<string> = HostEvent> =
  Numbered & EventContent<Task, Progress, Host>

/** A private notice of the host: an event for a user rather than a plan. */
export type Notice<Task = unknown, Progress = unknown, Host extends HostEvent<string> = HostEvent> =
  Unnumbered & { planId?: undefined; timestamp: Timestamp } & EventContent<Task, Progress, Host>

/** The place of an event that this client is excepted from: its own change, acknowledged. */
export interface Receipt extends Numbered {
  type: 'receipt'
  data?: undefined
}

`
