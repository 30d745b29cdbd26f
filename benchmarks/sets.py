"""The requirement sets the benchmarks run on: from pure Python to machine learning, all pinned
by the resolution of the day so that both sides install the same."""

from __future__ import annotations

SETS: dict[str, tuple[str, ...]] = {
    "onnx": (
        "flask==3.0.0", "onnxruntime==1.23.2", "opencv-python-headless==4.9.0.80",
        "numpy==1.26.4", "Pillow==10.2.0", "pymysql==1.1.1", "python-dotenv==1.0.1",
        "requests==2.31.0",
    ),
    "flask": ("flask", "gunicorn", "psycopg2-binary", "flask-sqlalchemy", "flask-login"),
    "django": ("django", "psycopg2-binary", "celery", "redis", "boto3", "gunicorn", "whitenoise"),
    "api": ("fastapi", "uvicorn[standard]", "sqlalchemy", "alembic", "httpx", "pydantic-settings"),
    "data": ("pandas", "scikit-learn", "streamlit"),
    "plots": ("dash", "plotly", "matplotlib", "seaborn"),
    "cloud": ("google-cloud-storage", "azure-storage-blob", "boto3", "cryptography"),
    "science": ("scipy", "statsmodels", "networkx", "sympy"),
    "language": ("transformers", "sentencepiece", "nltk", "beautifulsoup4", "lxml"),
    "vision": ("opencv-python-headless", "pillow", "scikit-image", "imageio"),
    "geo": ("geopandas", "shapely", "pyproj", "folium", "rasterio"),
    "torch": ("torch==2.13.0", "safetensors", "flask"),
    "bot": ("python-telegram-bot", "discord.py", "openai", "apscheduler"),
}  # fmt: skip
