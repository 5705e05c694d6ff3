"""What an agent does with PyGithub, told an address and a token. It follows the addresses in what it reads."""

import json
import os
import sys

from github import Auth, Github

github = Github(base_url=f"{sys.argv[1]}/use/github", auth=Auth.Token(os.environ["TOKEN"]), retry=None)
issue = github.get_repo("acme/api").get_issue(1)
comment = issue.create_comment("hello")
print(json.dumps({"title": issue.title, "comment": comment.body, "pages": [each.number for each in issue.repository.get_issues()]}))
