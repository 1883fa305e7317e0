//! Rules on what a `RUN` does.

use crate::lint::testing::{check_dockerfiles, lint_dockerfile};

#[test]
fn apt() {
    check_dockerfiles(
        "apt-lists",
        &[
            "RUN apt-get update && apt-get install -y git",
            "RUN apt-get update && rm -rf /var/lib/dpkg",
            "RUN <<E\nset -e\napt-get update\napt-get install -y git\nE",
            "FROM x:1 AS base\nRUN apt-get update\nFROM base\nCMD [\"a\"]",
        ],
        &[
            "RUN apt-get update && apt-get install -y git && rm -rf /var/lib/apt/lists/*",
            "RUN apt-get update; apt-get install -y git; rm -fr /var/lib/apt/* /tmp/*",
            "RUN --mount=type=cache,target=/var/lib/apt,sharing=locked apt-get update && apt-get install -y git",
            "RUN apt-get update && apt-get install -y git \\\n  && rm -r \"/var/lib/apt/lists/\"",
            "RUN apt-get update; apt-get install -y git; apt-get dist-clean",
            "RUN echo apt-get update",
            "FROM x:1 AS base\nRUN apt-get update\nFROM y:1\nCOPY --from=base /a /a",
        ],
    );
    check_dockerfiles(
        "apt-recommends",
        &[
            "RUN apt-get install -y git",
            "RUN apt-get -qq -y install git",
        ],
        &[
            "RUN apt-get install -y --no-install-recommends git",
            "RUN apt-get -o APT::Install-Recommends=0 install -y git",
            "RUN apt-get remove -y git",
            "RUN if apt-get install -s git; then a; fi",
        ],
    );
    check_dockerfiles(
        "apt-yes",
        &[
            "RUN apt-get install git",
            "RUN apt-get -q install git",
            "RUN apt-get upgrade",
        ],
        &[
            "RUN apt-get install -y git",
            "RUN apt-get -qy install git",
            "RUN apt-get install -qq git",
            "RUN apt-get install --yes git",
            "RUN yes | apt-get install git",
            "RUN apt-get update && apt-get clean",
            "RUN apt-get $OPTIONS install git",
        ],
    );
    check_dockerfiles(
        "apt-command",
        &[
            "RUN apt install -y git",
            "RUN DEBIAN_FRONTEND=x apt update && apt install a",
        ],
        &["RUN apt-get update", "RUN ls /etc/apt", "RUN echo apt"],
    );
    check_dockerfiles(
        "apt-update-alone",
        &["RUN apt-get update", "RUN apt-get update && apt-get clean"],
        &[
            "RUN apt-get update && apt-get install -y git",
            "RUN apt-get update && ./install-packages.sh",
            "RUN apt-get update && apt-get upgrade -y",
        ],
    );
    check_dockerfiles(
        "apt-upgrade",
        &[
            "RUN apt-get update && apt-get -y dist-upgrade",
            "RUN apt-get upgrade -y",
        ],
        &["RUN apt-get install -y upgrade-system"],
    );
}

#[test]
fn a_finding_points_at_its_command() {
    assert_eq!(
        lint_dockerfile(
            "apt-recommends",
            "FROM x:1\nRUN apt-get update \\\n  # tools\n  && apt-get install -y git \\\n  && rm -rf /var/lib/apt/lists/*\n"
        ),
        ["4:6 warning: packages that are only recommended are installed too"]
    );
}

#[test]
fn other_package_managers() {
    check_dockerfiles(
        "apk-cache",
        &["RUN apk add git", "RUN apk update && apk add git"],
        &[
            "RUN apk add --no-cache git",
            "RUN apk --no-cache add git",
            "RUN apk add --update git && rm -rf /var/cache/apk/*",
            "RUN --mount=type=cache,target=/var/cache/apk apk add git",
            "RUN apk add --no-network --virtual .run git",
            "RUN apk del git",
        ],
    );
    check_dockerfiles(
        "pip-cache",
        &[
            "RUN pip install -r requirements.txt",
            "RUN python3 -m pip install flask",
        ],
        &[
            "RUN pip install --no-cache-dir flask",
            "RUN --mount=type=cache,target=/root/.cache/pip pip install flask",
            "ENV PIP_NO_CACHE_DIR=1\nRUN pip install flask",
            "RUN PIP_NO_CACHE_DIR=1 pip install flask",
            "RUN pip install flask && rm -rf /root/.cache",
            "RUN pip list",
            "FROM x:1 AS b\nRUN pip install flask\nFROM y:1\nCOPY --from=b /a /a",
        ],
    );
    check_dockerfiles(
        "gem-documents",
        &["RUN gem install rails"],
        &[
            "RUN gem install -N rails",
            "RUN gem install --no-document rails",
            "RUN gem update",
        ],
    );
    check_dockerfiles(
        "npm-install",
        &[
            "COPY package.json package-lock.json ./\nRUN npm install",
            "COPY package-lock.json .\nRUN npm i --omit=dev",
        ],
        &[
            "COPY package.json .\nRUN npm install",
            "COPY package-lock.json .\nRUN npm ci",
            "COPY package-lock.json .\nRUN npm install -g yarn && npm install express",
        ],
    );
}

#[test]
fn shells_and_pipes() {
    check_dockerfiles(
        "pipe-without-pipefail",
        &[
            "RUN curl -fsSL u | sh",
            "RUN wget -O - u | tar xz",
            "FROM x:1\nSHELL [\"/bin/bash\", \"-c\"]\nRUN curl u | bash",
        ],
        &[
            "RUN curl -fsSL u -o f && sh f",
            "RUN set -o pipefail && curl u | sh",
            "SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN curl u | sh",
            "RUN echo a | tee b",
            "RUN curl u || true",
            "RUN curl 'a|b'",
        ],
    );
    check_dockerfiles(
        "cd-in-run",
        &["RUN cd /src && make"],
        &[
            "RUN make && cd /src && make",
            "WORKDIR /src\nRUN make",
            "RUN cd a && make",
        ],
    );
    check_dockerfiles(
        "sudo-in-run",
        &["RUN sudo apt-get update", "RUN a && sudo -E b"],
        &["RUN apt-get install -y sudo", "RUN echo sudo"],
    );
}

#[test]
fn order_of_copies() {
    check_dockerfiles(
        "copy-before-install",
        &[
            "COPY . .\nRUN pip install -r requirements.txt",
            "COPY . /app\nRUN cd /app && npm ci",
            "COPY ./ .\nRUN bundle install --jobs 4",
            "ADD . .\nRUN go mod download",
        ],
        &[
            "COPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .",
            "COPY . .\nRUN pip install flask",
            "COPY . .\nRUN --mount=type=cache,target=/root/.npm npm ci",
            "COPY --from=0 . .\nRUN npm ci",
            "COPY . .\nRUN npm run build",
            "FROM x:1 AS a\nCOPY . .\nFROM y:1\nRUN npm ci",
        ],
    );
}
