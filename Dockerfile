FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY abr abr
COPY profiles profiles
RUN python -m venv /opt/abr && /opt/abr/bin/pip install --no-cache-dir -c constraints.txt .

FROM python:3.11-slim-bookworm
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends libsrt1.5-openssl && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 10001 abr && install -d -o abr /var/lib/abr
COPY --from=build /opt/abr /opt/abr
USER abr
ENV PATH=/opt/abr/bin:$PATH PYTHONUNBUFFERED=1 XDG_STATE_HOME=/var/lib
VOLUME /var/lib/abr
EXPOSE 1935 8080 9000/udp
# Ctrl-C and docker stop end the event properly: encoders flushed, last playlists put, recording written.
STOPSIGNAL SIGINT
ENTRYPOINT ["abr"]
CMD ["--help"]
