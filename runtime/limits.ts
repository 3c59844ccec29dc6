/**
 * Every bound of the product, in one place: nothing grows without one. Relations between them are asserted when this file is loaded.
 * A unit stands last in each name.
 */
import { invariant } from "./assert.ts";

/** The bounds. They are not configuration: changing one is a change of the program, with its tests and benchmarks. */
export const LIMITS = Object.freeze({
  /** Messages that wait in one actor's mailbox before `tell` is refused. */
  mailboxLength: 10_000,
  /** Messages that one actor handles before others get their turn. */
  mailboxTurnMessages: 64,
  /** Longest time that the dispatcher works before it lets I/O in, in milliseconds. */
  dispatcherTurnMs: 4,
  /** Asks that await their answer in one actor system. */
  pendingReplies: 100_000,
  /** Messages that one actor may stash. */
  stashLength: 1_000,
  /** Timers that one actor may have set. */
  actorTimers: 1_000,
  /** Promises whose outcome one actor may await by piping. */
  actorPipes: 1_000,
  /** Dead letters kept for inspection in one actor system. */
  deadLetters: 1_000,
  /** Ended runs that a node remembers as they are shown, and the characters of input and output of one, and of all. */
  recentRuns: 5_000,
  recentRunChars: 64 * 1024,
  recentRunsChars: 16 * 1024 * 1024,
  /** Run actors in memory on one node that have work under way; above it new runs wait, and are refused. */
  activeRuns: 50_000,
  /** As many of them are let in however late commits are: fewer would not fill the commits. */
  activeRunsAtLeast: 500,
  /** Starts that wait on one node to be let in; from half of it on Execute streams are not read, above it starts are refused at once. */
  startQueueLength: 8_000,
  /** Run actors kept in memory on one node that only wait; above it the longest idle are asked to leave. Those with work under way stay. */
  residentRuns: 10_000,
  /** Bytes of one request on the gRPC gateway. */
  requestBytes: 4 * 1024 * 1024,
  /** Bytes of a run's input, its output, a signal's payload or a task's result, as JSON text. */
  payloadBytes: 2 * 1024 * 1024,
  /** Bytes of a workflow document. */
  documentBytes: 1024 * 1024,
  /** Bytes of the text of an error, and of the data that a task gives with it, each. */
  errorTextBytes: 512 * 1024,
  /** Characters of a workflow document that is read at once; a larger one is read in a thread of its own, in which so many may wait. */
  inlineDocumentLength: 32 * 1024,
  largeDocumentsWaiting: 100,
  /** Depth of nesting of a workflow document and of a payload. */
  nestingDepth: 100,
  /** Tasks in one workflow document. */
  documentTasks: 10_000,
  /** Characters that the aliases of one workflow document may add to it when they are written out. */
  documentAliasLength: 256 * 1024,
  /** Problems of one workflow document that are reported at a time. */
  documentViolations: 100,
  /** Bytes of one JSON Schema in a workflow document. */
  schemaBytes: 64 * 1024,
  /** Different JSON Schemas in a workflow document: compiling one takes some milliseconds. */
  documentSchemas: 200,
  /** Bytes of all different JSON Schemas in a workflow document. */
  documentSchemaBytes: 256 * 1024,
  /** Problems that one check against a JSON Schema reports. */
  schemaProblems: 10,
  /** Compiled workflows kept in memory on one node; above it the longest unused are dropped. */
  cachedWorkflows: 1_000,
  /** Bytes of one runtime expression. */
  expressionBytes: 16 * 1024,
  /** Steps that one evaluation of a compiled expression may take. */
  expressionSteps: 1_000_000,
  /** Bytes of JSON text, roughly, of a value that an expression gives or writes as text. */
  expressionResultBytes: 16 * 1024 * 1024,
  /** Evaluations outside the compiled subset that wait on one node. */
  expressionQueueLength: 10_000,
  /** Milliseconds that one evaluation outside the compiled subset may take. */
  expressionMs: 2_000,
  /** Signals that a run keeps until they are consumed, and the characters of their payloads. */
  bufferedSignals: 10_000,
  bufferedSignalChars: 64 * 1024 * 1024,
  /** Completed tasks that a run would have to undo, those included that are under way, and the characters of their inputs and outputs. */
  undoPerRun: 10_000,
  undoChars: 64 * 1024 * 1024,
  /** Characters of the large outputs of a fork's branches, which are one output in the end. */
  forkOutputChars: 16 * 1024 * 1024,
  /** Evaluations outside the compiled subset that one run has under way at a time. */
  evaluationsPerRun: 64,
  /** Commands that one turn of a run takes. */
  commandsPerTurn: 256,
  /** Characters of a JSON text that stands in an entry; a longer one stands in the store's payloads. */
  inlineTextLength: 8 * 1024,
  /** Timers that a node keeps in memory; those that follow are read when these have fired. */
  timersInMemory: 200_000,
  /** Timers of a node that were fired and whose end is not committed yet. Others that are due wait, so that a storm of timers fills no queue. */
  timersUnderWay: 1_000,
  /** Signal ids that a run remembers to notice repetitions. */
  rememberedSignals: 10_000,
  /**
   * Entries of one run's history, half of which are told of: a run that long seldom was meant to be. It is a mark for warnings: nothing is refused
   * above it.
   */
  historyEntries: 200_000,
  /** Tasks of one run that are under way at a time. */
  framesPerRun: 100_000,
  /** Events that one turn of a run may produce before other runs get theirs. */
  eventsPerTurn: 512,
  /** Characters of an idempotency key, a signal's name and the like. */
  keyLength: 256,
  /** Labels of a run. */
  labels: 32,
  /** Writes in one commit of the journal. */
  batchWrites: 512,
  /** Bytes of entries in one commit of the journal. */
  batchBytes: 4 * 1024 * 1024,
  /** Runs that are read back to memory by one query, the bytes that it brings, and the rows of one run among them; a run with more is read alone. */
  tailsPerQuery: 256,
  tailBytesPerQuery: 4 * 1024 * 1024,
  rowsPerTail: 64,
  /** Writes that wait in one lane of the journal; above it only essential ones are taken. */
  laneQueueWrites: 100_000,
  /** Bytes that wait in one lane of the journal; above it only essential writes are taken. */
  laneQueueBytes: 256 * 1024 * 1024,
  /** Runs with a refused write that one lane of the journal remembers; above it the store checks for a while that no history gets a gap. */
  laneRefusedRuns: 100_000,
  /** Task attempts that wait to be stored in the task ledger; above it they are dropped and counted. */
  ledgerRecords: 50_000,
  /**
   * Tasks that wait for a worker thread on one node, and those that wait for an executor; of the latter a queue with less than its share is let in
   * above that.
   */
  taskQueueLength: 100_000,
  /** Attempts with the same concurrency key that may be under way at a time, at most. */
  slotsPerKey: 10_000,
  /** Attempts that wait on one node for a slot of their concurrency key; above it they come again later. */
  slotsAwaited: 100_000,
  /** Slots that one node takes, frees or looks at by one statement. */
  slotsPerStatement: 500,
  /** Tasks that one worker thread executes at a time. */
  tasksPerThread: 128,
  /** Times in a row that a task may lose its thread to a neighbour before it is executed alone. */
  lossesPerTask: 2,
  /** Tasks with losses that the pool remembers; above it the oldest are forgotten and may share a thread again. */
  rememberedLosses: 10_000,
  /** Tasks that were under way at several losses of a node and are executed at a time; far fewer after each further loss. */
  suspectsTogether: 32,
  /** Losses of a node during a task's turns to be executed, most of them without any other suspect beside it, after which it has failed. */
  nodeLossesInTurn: 10,
  /** Log lines of one worker thread between two turns of its event loop; above it lines are dropped and counted. */
  logLinesPerTurn: 1_000,
  /** Files of the handlers' folder. */
  handlerFiles: 1_000,
  /** Bytes of a task's log line; longer ones are cut and say so. */
  logLineBytes: 8 * 1024,
  /** Bytes of the output of a shell command that are kept. */
  shellOutputBytes: 1024 * 1024,
  /** Rows on one page of a list. */
  pageRows: 1_000,
  /** Requests of one Execute stream that may be under way; above it the stream is not read. */
  executeInFlight: 2_000,
  /** Requests that one Execute stream reads in one turn of the event loop. The gRPC library would hand over thousands before any of them was counted. */
  executeReadPerTurn: 64,
  /** Characters of inputs and outputs that one Execute stream may hold; above it the stream is not read. */
  executeInFlightChars: 64 * 1024 * 1024,
  /** Bytes of one answer: what gRPC clients in every language take unless they are told otherwise. */
  answerBytes: 4 * 1024 * 1024,
  /** Characters of the rows on one page of a list or a history. */
  pageChars: 1024 * 1024,
  /** Calls that one gRPC connection may have open. */
  callsPerConnection: 2_000,
  /** Bytes of a gRPC error's details: they travel in a header, and clients take few (the default of gRPC's C core is 8 KiB in all). */
  statusDetailBytes: 2 * 1024,
  /** Characters of a gRPC error's message; it travels in a header too, with up to nine bytes for a character. */
  statusMessageLength: 384,
  /** Deployed versions whose names and ids the gateway remembers. */
  directoryEntries: 10_000,
  /** Workflow versions that a list of runs may be narrowed to by name. */
  filterVersions: 10_000,
  /** Bytes of one message on the bus, headers included. A NATS server takes 1 MiB unless it is told otherwise, and the lower of both counts. */
  busPayloadBytes: 4 * 1024 * 1024,
  /** Bytes sent on the bus that its server has not taken yet; above it messages are refused. */
  busPendingBytes: 64 * 1024 * 1024,
  /** Requests over the bus that await their answer on one node. */
  busPendingRequests: 20_000,
  /** Handlers of messages of the bus under way on one node; above it requests are refused and other messages dropped. */
  busHandlers: 10_000,
  /** Requests that a responder on the message bus remembers, to answer one that comes twice only once. */
  busRequestsRemembered: 10_000,
  /** Calls about runs that a node serves for other nodes at a time, beside waits; above it they are refused. */
  servedCalls: 4_000,
  /** Waits of other nodes, for the end of a run or for more history, that a node serves at a time; above it they are refused. */
  servedWaits: 5_000,
  /** Starts from other nodes that a node remembers, to notice one that comes twice. */
  rememberedStarts: 10_000,
  /** Commands for runs of other nodes that wait on one node for their answer; above it they are refused. */
  routedCommands: 50_000,
  /** Bytes of an answer to another node; it reads from the store what would be larger. */
  peerAnswerBytes: 512 * 1024,
  /** Bytes of a call to another node that travel in one message; a larger one goes in pieces. A NATS server takes 1 MiB unless it is told otherwise. */
  callPartBytes: 512 * 1024,
  /** Bytes of calls whose pieces have not all arrived that a node keeps; above it they are refused. */
  partialCallBytes: 64 * 1024 * 1024,
  /** Commands, and characters of their payloads, that travel together to another node. */
  commandsPerCall: 256,
  commandCallChars: 256 * 1024,
  /** Subscriptions of one node on the bus. */
  busSubscriptions: 10_000,
  /** Characters of an output or an error in an event; of a larger one it says how large it is and where it stands. */
  eventTextLength: 32 * 1024,
  /** Events that wait in a node's memory to be published, and their characters; above it they are read from the journal later. */
  eventQueueLength: 50_000,
  eventQueueChars: 64 * 1024 * 1024,
  /** Events that were sent and are not acknowledged yet. */
  eventsUnacknowledged: 1_000,
  /** Reply subjects of events that wait for their acknowledgement; with so many that never came, all of them are given up. */
  eventReplySubjects: 16_384,
  /** Runs whose histories are read at a time to publish what was missed. */
  eventReplayRuns: 32,
  /** How long an attempt stays with the executor that took it unless that says it has it still, in milliseconds. */
  taskLoanMs: 10_000,
  /** Attempts that an executor takes by one call, and the characters of them; inputs with more characters than that are fetched apart. */
  attemptsPerTake: 256,
  takenChars: 128 * 1024,
  lentInputChars: 32 * 1024,
  /** Losses of the executor that had an attempt after which the attempt has crashed. From the first on it is executed outside of executors' own processes. */
  executorLossesPerTask: 10,
  /** Results, and the characters of them, that travel together to another node. */
  resultsPerCall: 256,
  resultCallChars: 128 * 1024,
  /** Queues of tasks that a node tells others of, those with the most attempts first. */
  queuesTold: 1_000,
  /** Messages of the event stream that a subscriber is sent ahead of what it has taken. */
  streamReadAhead: 256,
  /** How far the wall clock of a node may be from PostgreSQL's before that is told of, in milliseconds. Nothing is refused above it. */
  clockOffsetMs: 500,
});

invariant(LIMITS.payloadBytes < LIMITS.requestBytes, "a payload of the largest size must fit in a request");
invariant(LIMITS.payloadBytes < LIMITS.batchBytes, "a payload of the largest size must fit in a batch");
invariant(
  LIMITS.payloadBytes + 3 * LIMITS.errorTextBytes < LIMITS.answerBytes,
  "the end of a run, or one payload with its error, must fit in an answer",
);
invariant(3 * LIMITS.documentBytes < LIMITS.answerBytes, "a document, with what it says of itself, must fit in an answer");
invariant(4 * LIMITS.pageChars <= LIMITS.answerBytes, "a page must fit in an answer");
invariant(LIMITS.documentBytes < LIMITS.requestBytes, "a document of the largest size must fit in a request");
invariant(LIMITS.schemaBytes <= LIMITS.documentSchemaBytes, "a schema of the largest size must fit in a document's share");
invariant(2 * LIMITS.payloadBytes <= LIMITS.undoChars, "a task with the largest input and output must be undoable");
invariant(LIMITS.payloadBytes <= LIMITS.bufferedSignalChars, "a run must be able to keep a signal of the largest size");
invariant(LIMITS.payloadBytes <= LIMITS.forkOutputChars, "a branch must be able to have an output of the largest size");
invariant(LIMITS.batchWrites <= LIMITS.laneQueueWrites, "a lane must be able to queue a full batch");
invariant(LIMITS.batchBytes <= LIMITS.laneQueueBytes, "a lane must be able to queue a full batch");
invariant(LIMITS.mailboxTurnMessages <= LIMITS.mailboxLength, "a turn must not exceed the mailbox");
invariant(LIMITS.activeRunsAtLeast <= LIMITS.activeRuns, "the limit of runs under way must have a range");
invariant(LIMITS.executeInFlight <= LIMITS.activeRuns, "one stream must not be able to ask for more than a node runs");
invariant(LIMITS.payloadBytes < LIMITS.busPayloadBytes, "a payload of the largest size must fit in a message between nodes");
invariant(LIMITS.commandCallChars < LIMITS.callPartBytes, "commands that travel together must fit in one message, if they are small");
invariant(LIMITS.servedCalls + LIMITS.servedWaits < LIMITS.busHandlers, "calls of other nodes must not crowd out other messages");
invariant(2 * 3 * LIMITS.eventTextLength < 1024 * 1024, "an event must fit into a message of a NATS server as it comes");
invariant(LIMITS.eventReplySubjects > 4 * LIMITS.eventsUnacknowledged, "acknowledgements are given up only if most of them never came");
invariant(LIMITS.eventsUnacknowledged <= LIMITS.eventQueueLength, "what is under way is part of what waits");
invariant(3 * (LIMITS.takenChars + LIMITS.lentInputChars) <= LIMITS.callPartBytes, "attempts that are taken together must fit in one message");
invariant(LIMITS.busPayloadBytes <= LIMITS.busPendingBytes, "a message of the largest size must be sendable");
