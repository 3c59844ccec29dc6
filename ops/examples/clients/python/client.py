"""Deploys a workflow, starts a run and follows it, with nothing but what the node says about itself.

No code is generated and no .proto file is needed: the contract, the error details among it, comes through server reflection.

    pip install grpcio grpcio-reflection
    python client.py 127.0.0.1:50051 hello.yaml '{"name": "Ada"}'
"""

import sys
import uuid

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase


class Node:
    """A connection to a node. Methods are called by name with the fields of their request."""

    def __init__(self, address):
        self.channel = grpc.insecure_channel(address)
        self.pool = DescriptorPool(ProtoReflectionDescriptorDatabase(self.channel))

    def message(self, name):
        """The class of a message, by its full name."""
        return GetMessageClass(self.pool.FindMessageTypeByName(name))

    def call(self, service, method, timeout=30, **fields):
        """Calls a method. Unary ones answer a message, streaming ones an iterator that can be cancelled."""
        descriptor = self.pool.FindServiceByName(f"maestro.v1.{service}").FindMethodByName(method)
        connect = self.channel.unary_stream if descriptor.server_streaming else self.channel.unary_unary
        callable_ = connect(
            f"/maestro.v1.{service}/{method}",
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=GetMessageClass(descriptor.output_type).FromString,
        )
        return callable_(GetMessageClass(descriptor.input_type)(**fields), timeout=timeout)

    def explain(self, error):
        """The lines that say what a call failed with: the code of the error, and what is wrong with which field."""
        yield f"{error.code().name}: {error.details()}"
        trailer = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
        if trailer is None:
            return
        for detail in self.message("google.rpc.Status").FromString(trailer).details:
            message = self.message(detail.type_url.split("/")[-1]).FromString(detail.value)
            if detail.type_url.endswith("ErrorInfo"):
                yield f"  code {message.reason}, facts {dict(message.metadata)}"
            elif detail.type_url.endswith("BadRequest"):
                for violation in message.field_violations:
                    yield f"  {violation.field}: {violation.description}"
            elif detail.type_url.endswith("RetryInfo"):
                yield f"  try again after {message.retry_delay.ToTimedelta()}"


def main(address, document_path, run_input="{}"):
    node = Node(address)
    try:
        with open(document_path, encoding="utf-8") as document:
            workflow = node.call("WorkflowService", "Deploy", document=document.read()).workflow
        print(f"deployed {workflow.namespace}/{workflow.name}:{workflow.version}")

        # A key makes it safe to send the request again: one run at most is ever started for it.
        started = node.call(
            "RunService",
            "Start",
            namespace=workflow.namespace,
            workflow=workflow.name,
            version=workflow.version,
            input=run_input,
            idempotency_key=str(uuid.uuid4()),
        )
        print(f"started {started.run_id}")

        for answer in node.call("RunService", "Watch", timeout=None, run_id=started.run_id, from_seq=1):
            print(f"{answer.entry.seq:4} {answer.entry.type} {answer.entry.path}".rstrip())

        run = node.call("RunService", "Get", run_id=started.run_id).run
        status = run.DESCRIPTOR.fields_by_name["status"].enum_type.values_by_number[run.status].name
        print(status, run.output or run.error.detail)
    except grpc.RpcError as error:
        sys.exit("\n".join(node.explain(error)))
    except KeyboardInterrupt:
        node.call("RunService", "Cancel", run_id=started.run_id, reason="interrupted at the keyboard")
        sys.exit(f"cancelled {started.run_id}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:4])
