# The page of `minillm demo` in a container. Chapter 34 explains each line.
#
#   docker build -t minillm-demo .
#   docker run --init --rm -p 127.0.0.1:8501:8501 minillm-demo
FROM python:3.11-slim

WORKDIR /app
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY minillm ./minillm
RUN pip install --no-cache-dir --constraint constraints.txt ".[demo]"

# Without root's rights, and with a folder of its own for compiled kernels.
RUN useradd --create-home visitor
USER visitor
WORKDIR /home/visitor
ENV NUMBA_CACHE_DIR=/home/visitor/kernels

# Compile now what the first visitor would wait for.
RUN python -m minillm.demo.first_visit

EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; \
         urlopen('http://127.0.0.1:8501/_stcore/health')"]
CMD ["minillm", "demo", "--host", "0.0.0.0", "--port", "8501"]
