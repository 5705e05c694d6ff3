"""What hvac makes of a server that speaks Vault's wire: reads one operation a line, carries it out with the library's
own functions, and prints what came of it, one line each."""

import json
import os
import sys

import hvac
from hvac import exceptions

client = hvac.Client(url=os.environ["VAULT_ADDR"])
kv = client.secrets.kv.v2

STATUS = {exceptions.InvalidRequest: 400, exceptions.Forbidden: 403, exceptions.InvalidPath: 404, exceptions.UnsupportedOperation: 405}


def perform(op, path="", role="", jwt="", data=None, cas=None, versions=None, custom=None):
    if op == "health":
        health = client.sys.read_health_status(method="GET")
        return {"initialized": health["initialized"], "sealed": health["sealed"]}
    if op == "login":
        return {"renewable": client.auth.jwt.jwt_login(role=role, jwt=jwt)["auth"]["renewable"]}
    if op == "self":
        return {"type": client.auth.token.lookup_self()["data"]["type"]}
    if op == "put":
        return {"version": kv.create_or_update_secret(path, data, cas)["data"]["version"]}
    if op == "patch":
        return {"version": kv.patch(path, data)["data"]["version"]}
    if op == "get":
        found = kv.read_secret_version(path, raise_on_deleted_version=False)["data"]
        if found["data"] is None:
            return {"status": 404, "deleted": bool(found["metadata"]["deletion_time"])}
        return {"data": found["data"], "version": found["metadata"]["version"], "custom": found["metadata"]["custom_metadata"]}
    if op == "list":
        # list_secrets sends the method LIST.
        return {"keys": client.adapter.get(f"/v1/secret/metadata/{path}", params={"list": "true"})["data"]["keys"]}
    if op == "metadata":
        found = kv.read_secret_metadata(path)["data"]
        versions = {number: state(version) for number, version in found["versions"].items()}
        return {"current": found["current_version"], "custom": found["custom_metadata"], "versions": versions}
    if op == "put-metadata":
        kv.update_metadata(path, custom_metadata=custom)
    elif op == "delete":
        kv.delete_latest_version_of_secret(path)
    elif op == "delete-versions":
        kv.delete_secret_versions(path, versions)
    elif op == "undelete":
        kv.undelete_secret_versions(path, versions)
    elif op == "destroy":
        kv.destroy_secret_versions(path, versions)
    elif op == "delete-metadata":
        kv.delete_metadata_and_all_versions(path)
    else:
        sys.exit(f"no such operation: {op}")
    return {}


def state(version):
    if version["destroyed"]:
        return "destroyed"
    return "deleted" if version["deletion_time"] else "there"


for line in sys.stdin:
    try:
        answer = perform(**json.loads(line))
    except exceptions.VaultError as error:
        status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), None)
        answer = {"failed": repr(error)} if status is None else {"status": status, "errors": list(error.errors or [])}
    print(json.dumps(answer), flush=True)
