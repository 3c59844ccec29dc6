/** A worker thread that sends back what it is sent: what a hop between threads costs without the worker pool. */
import { parentPort } from "node:worker_threads";

if (parentPort === null) throw new Error("this file is the entry of a worker thread");
const port = parentPort;
port.on("message", (message: unknown) => port.postMessage(message));
